"""Words that redaction knows: what a value says when there is none, accounts that are nobody's, endings of no domain."""

from __future__ import annotations

from typing import Final

_NOTHING = """
yes no true false null none nil undefined empty missing required optional unset default redacted hidden masked
filtered removed password passwd token key string str int bool boolean bytes text varchar char object any value
values incorrect invalid expired wrong bad unknown unexpected mismatch rejected denied failed failure error errors
given provided supplied is are was were be been must should shall may can cannot could would will has have had does
did do not and or but the a an this that these those to for from of on in at by with without as if when then than it
its your my our their need needs argument arguments option options flag flags file stdin env prompt ask never always
only auto off new old same authentication authorization check change changed reset set get update updated input output
type name user username login length too short long weak policy hash hashed encrypted plain plaintext field method
function class self account bearer basic digest negotiate ntlm kerberos interactive keyboard-interactive publickey
preauth
"""
NOTHING: Final = frozenset(_NOTHING.split())
"""What stands after `password:` and is none: a word for nothing, or the next word of a sentence."""

_SERVICES = """
root admin administrator adm nobody nogroup guest user users username test tester daemon bin sys sync games man lp
mail news uucp proxy www www-data backup list irc gnats sshd ftp git gitlab gitea jenkins runner build builder ci
circleci vsts travis docker dockerd node npm app apps application web webapp web-admin webmaster service services
system systemd-network local postgres postgresql mysql mariadb mongodb mongo redis memcached rabbitmq elasticsearch
elastic kafka zookeeper hadoop hdfs hbase hive spark yarn mapred oracle sa sysadmin dba nginx apache apache2 httpd
tomcat jetty haproxy squid nova glance cinder neutron keystone swift heat ubuntu debian centos fedora ec2-user
azureuser opc vagrant pi core dev developer deploy deployer ansible puppet chef terraform vault consul nomad
prometheus grafana influxdb splunk nagios zabbix logstash kibana shared public default all anonymous anyone everyone
someone me self you host hostname domain email name x y null none nil true false unknown undefined empty not and or
the a an is was are by from for on in at to of with as uid gid id account accounts session password request requests
group owner agent interface input data info names home cache static assets src lib index linuxbrew nixbld postfix
dovecot exim ntp chrony polkitd dbus messagebus avahi rpc rpcuser statd tcpdump nm-openconnect noreply no-reply
donotreply mailer-daemon postmaster hostmaster abuse security support
"""
SERVICES: Final = frozenset(_SERVICES.split())
"""Accounts that programs and images bring along, and words: they tell nothing of a person, and much of an error."""

_NO_DOMAINS = """
service socket timer mount target slice device swap path scope automount png jpg jpeg gif svg webp ico js mjs ts tsx
jsx css scss html htm json yml yaml xml md txt log dll exe jar war so dylib py rb go rs java class lock toml cfg conf
ini sh zip tgz gz
"""
NO_DOMAINS: Final = frozenset(_NO_DOMAINS.split())
"""Endings of files and of systemd units, which are no top-level domains: `icon@2x.png`, `getty@tty1.service`."""
