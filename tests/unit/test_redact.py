"""Redaction of texts: what is replaced by what, what stays, and that no text makes it slow or changes it twice."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitmem.core.recall.mask import mask
from gitmem.core.recall.pattern import parse
from gitmem.core.redacting.placeholder import KINDS, PLACEHOLDER, said, specimens
from gitmem.core.redacting.redact import Policy, Redactor, find, redact

HEX = "0f1e2d3c4b5a69788796a5b4c3d2e1f0"
MIXED = "aB3dE6gH9jK2mN5pQ8sT1vW4xY7zA0cD3fG6"
PEM = f"-----BEGIN RSA PRIVATE KEY-----\n{MIXED}\n{MIXED}/+==\n-----END RSA PRIVATE KEY-----"

REPLACED = {
    # passwords
    "postgres://bob:s3cr3t@db.example.com/x": "postgres://<user:1>:<password:1>@db.example.com/x",
    "redis://:hunter2@cache:6379": "redis://:<password:1>@cache:6379",
    "https://git:hunter2@git.example.com/a": "https://git:<password:1>@git.example.com/a",
    "curl -u ada:hunter2 https://x": "curl -u <user:1>:<password:1> https://x",
    "mysql -u root -pS3cret -h db": "mysql -u root -p<password:1> -h db",
    "sshpass -p hunter2 ssh host": "sshpass -p <password:1> ssh host",
    "http -a ada:hunter2 https://x": "http -a ada:<password:1> https://x",
    "7z x -phunter2 a.7z; unrar x -phunter2 a.rar": "7z x -p<password:1> a.7z; unrar x -p<password:1> a.rar",
    "openssl enc -aes-256-cbc -k mysecret -in a": "openssl enc -aes-256-cbc -k <password:1> -in a",
    "net use X: \\\\host\\share hunter2 /user:ada": "net use X: \\\\host\\share <password:1> /user:ada",
    "net user ada hunter2 /add": "net user ada <password:1> /add",
    "net use \\\\host\\share /user:DOM\\ada hunter2": "net use \\\\host\\share /user:DOM\\ada <password:1>",
    "rar a -hphunter2 out.rar dir": "rar a -hp<password:1> out.rar dir",
    '  + password             = "hunter22"': '  + password             = "<password:1>"',
    "CI_TOKEN=crates1234abcd x": "CI_TOKEN=<token:1> x",
    "/b/f?sv=2020-08-04&sig=Xy9%2FabcDEF123%3D": "/b/f?sv=2020-08-04&sig=<token:1>",
    "X-Vault-Token: s.tok1234": "X-Vault-Token: <token:1>",
    "db.auth('bob','hunter2')": "db.auth('bob','<password:1>')",
    "#0 db.php(2): PDO->__construct('mysql:host=x', 'app', 'hunter')": "#0 db.php(2): PDO->__construct('mysql:host=x', 'app', "
    "'<password:1>')",
    "mysqli_connect('db', 'app', 'hunter', 'x')": "mysqli_connect('db', 'app', '<password:1>', 'x')",
    "&{Host:db Password:hunter Port:1}": "&{Host:db Password:<password:1> Port:1}",
    '<a name="smtp.password">hunter</a>': '<a name="smtp.password"><password:1></a>',
    "h@b's password: mountain": "h@b's password: <password:1>",
    "java -jar cli.jar -auth h:11aabbccdd": "java -jar cli.jar -auth h:<password:1>",
    "echo hunter2 | openconnect --passwd-on-stdin gw": "echo <password:1> | openconnect --passwd-on-stdin gw",
    "A temporary password is generated for root@localhost: k)e7wsJ!d3Zq": "A temporary password is generated for "
    "root@localhost: <password:1>",
    "the password was changed to NewAdm1n by h": "the password was changed to <password:1> by h",
    "memcached: auth app mcpw1": "memcached: auth app <password:1>",
    "auth-user-pass: bo / hunter": "auth-user-pass: bo / <password:1>",
    "creds: h / hunter2": "creds: h / <password:1>",
    "ACL SETUSER h on >hunter2 ~*": "ACL SETUSER h on ><password:1> ~*",
    "h:5432:app:svc:hunter": "h:5432:app:svc:<password:1>",
    "C: PASS hunter\n---> PASS hunter3": "C: PASS <password:1>\n---> PASS <password:2>",
    "bindpw hunter\nrocommunity hunter3 10.0.0.0/8": "bindpw <password:1>\nrocommunity <password:2> <ip:1>/8",
    "enable password 0 hunter\n username h secret 7 0822455D0A16": "enable password 0 <password:1>\n username h secret 7 "
    "<password:2>",
    "p4 -P hunter2 sync": "p4 -P <password:1> sync",
    "rman target sys/hunter2@db": "rman target sys/<password:1>@db",
    "plink -pw hunter2 ada@h": "plink -pw <password:1> ada@h",
    "isql -U sa -P hunter2": "isql -U sa -P <password:1>",
    "SET PASSWORD FOR ada = 'hunter2';": "SET PASSWORD FOR ada = '<password:1>';",
    "ConvertTo-SecureString 'hunter2' -AsPlainText": "ConvertTo-SecureString '<password:1>' -AsPlainText",
    "setenv('DB_PASSWORD', 'hunter2')": "setenv('DB_PASSWORD', '<password:1>')",
    "htpasswd -b f ada hunter2": "htpasswd -b f ada <password:1>",
    "vault login s.abcdefgh12345678": "vault login <token:1>",
    "Password for user ada: hunter2": "Password for user ada: <password:1>",
    "[sudo] password for ada: letmein": "[sudo] password for ada: <password:1>",
    "password: |\n  two words\n  more\nport: 1": "password: |\n  <password:1>\nport: 1",
    "keytool -storepass hunter2 -keypass hunter3": "keytool -storepass <password:1> -keypass <password:2>",
    "snmpget -v3 -A hunter2 -X hunter3 h": "snmpget -v3 -A <password:1> -X <password:2> h",
    "rdesktop -u ada -p hunter2 h": "rdesktop -u ada -p <password:1> h",
    "ipmitool -U ada -P hunter2 power": "ipmitool -U ada -P <password:1> power",
    "sqlplus ada/hunter2@db": "sqlplus ada/<password:1>@db",
    "rabbitmqctl add_user ada hunter2": "rabbitmqctl add_user ada <password:1>",
    "wpa_passphrase net hunter2": "wpa_passphrase net <password:1>",
    "echo hunter2 | sudo -S ls": "echo <password:1> | sudo -S ls",
    "echo 'ada:hunter2' | chpasswd": "echo '<password:1>' | chpasswd",
    "kinit ada <<< hunter2": "kinit ada <<< <password:1>",
    "kubectl create secret generic x --from-literal=db=hunter2": "kubectl create secret generic x --from-literal=db=<token:1>",
    "kind: Secret\ndata:\n  db: aHVudGVyMg==\ntype: Opaque": "kind: Secret\ndata:\n  db: <token:1>\ntype: Opaque",
    'kind: "Secret"\nstringData:\n  a.conf: |\n    x=1\n  b: two words\nx: y': 'kind: "Secret"\nstringData:\n  a.conf: |\n    '
    "<token:1>\n  b: <token:2>\nx: y",
    "- kind: Secret\n  data:\n    a: aHVudGVyMg==\n- kind: ConfigMap\n  data:\n    b: debug": "- kind: Secret\n  data:\n    a: "
    "<token:1>\n- kind: ConfigMap\n  data:\n    b: debug",
    '{"data":{"a":"b0"},"kind":"Map"},{"data":{"a":"b1","c":"d e"},"kind":"Secret"}': '{"data":{"a":"b0"},"kind":"Map"},'
    '{"data":{"a":"<token:1>","c":"<token:2>"},"kind":"Secret"}',
    r'"{\"kind\":\"Secret\",\"data\":{\"a\":\"b1\"}}"': r'"{\"kind\":\"Secret\",\"data\":{\"a\":\"<token:1>\"}}"',
    "redis> AUTH opensesame": "redis> AUTH <password:1>",
    '[0 h:1] "AUTH" "default" "hunter2"': '[0 h:1] "AUTH" "default" "<password:1>"',
    "a1 LOGIN bo hunter2\n": "a1 LOGIN bo <password:1>\n",
    "smtp.login('bo', 'sesame')": "smtp.login('bo', '<password:1>')",
    "altool -u bo -p abcd-efgh": "altool -u bo -p <password:1>",
    "skopeo copy --src-creds bo:hunter2 a b": "skopeo copy --src-creds bo:<password:1> a b",
    "dsn=root:hunter2@tcp(db:3306)/x": "dsn=root:<password:1>@tcp(db:3306)/x",
    "logged in with password hunter2, and failed": "logged in with password <password:1>, and failed",
    "the passphrase is correct-horse-battery": "the passphrase is <password:1>",
    'psk="office wifi"': 'psk="<password:1>"',
    "OTP seed JBSWY3DPEHPK3PXP rejected": "OTP seed <token:1> rejected",
    f"Client('AC1', '{HEX}')": "Client('AC1', '<token:1>')",
    "USER ada\r\n331 go on\r\nPASS hunter2\r\n": "USER ada\r\n331 go on\r\nPASS <password:1>\r\n",
    "AUTH PLAIN AGFkYQBodW50ZXIy": "AUTH PLAIN <password:1>",
    "the password is hunter2": "the password is <password:1>",
    "Passwort: hunter2": "Passwort: <password:1>",
    "influx -username ada -password hunter2": "influx -username ada -password <password:1>",
    "tool --password hunter2 --dry-run": "tool --password <password:1> --dry-run",
    "tool --db-password=hunter2": "tool --db-password=<password:1>",
    "postgres://app:password@db/x --client-secret secret": "postgres://app:<password:1>@db/x --client-secret <token:1>",
    "PGPASSWORD=hunter2 psql": "PGPASSWORD=<password:1> psql",
    '{"password": "hunter2", "x": 1}': '{"password": "<password:1>", "x": 1}',
    r"{\"password\": \"hun ter2\"}": r"{\"password\": \"<password:1>\"}",
    "db:\n  password: correcthorse\n  port: 1": "db:\n  password: <password:1>\n  port: 1",
    "<password>hunter2</password>": "<password><password:1></password>",
    "Server=db;User Id=sa;Password=p4ss;": "Server=db;User Id=sa;Password=<password:1>;",
    "CREATE USER x IDENTIFIED BY 'hunter2'": "CREATE USER x IDENTIFIED BY '<password:1>'",
    "machine h login ci password hunter2": "machine h login ci password <password:1>",
    "jdbc:oracle:thin:scott/tiger@//db": "jdbc:oracle:thin:scott/<password:1>@//db",
    # tokens
    f"remote: ghp_{MIXED} is revoked": "remote: <token:1> is revoked",
    f"https://ghp_{MIXED}@github.com/a": "https://<token:1>@github.com/a",
    f"\x1b[31mghp_{MIXED}\x1b[0m": "\x1b[31m<token:1>\x1b[0m",
    f"Authorization: Bearer {HEX}": "Authorization: Bearer <token:1>",
    "-H 'Authorization: Basic YWRhOmh1bnRlcjI='": "-H 'Authorization: Basic <token:1>'",
    f"X-Api-Key: {HEX}": "X-Api-Key: <token:1>",
    "Cookie: sid=abcdef123456; theme=dark": "Cookie: sid=<token:1>; theme=dark",
    f"GET /v1?token={HEX}&page=2": "GET /v1?token=<token:1>&page=2",
    f"the token {HEX} is invalid": "the token <token:1> is invalid",
    f"Incorrect API key provided: {HEX}.": "Incorrect API key provided: <token:1>.",
    f"'{HEX}' is not a valid API key": "'<token:1>' is not a valid API key",
    f"https://{HEX}@git.example.com/a": "https://<token:1>@git.example.com/a",
    f"invalid key lin_api_{MIXED}": "invalid key <token:1>",
    "AWS_SECRET_ACCESS_KEY=wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY": "AWS_SECRET_ACCESS_KEY=<token:1>",
    "https://hooks.slack.com/services/T00000000/B00000000/aB3dE6gH9jK2mN5pQ8sT1vW4": "https://hooks.slack.com/services/<token:1>",
    f"env:\n  - name: API_TOKEN\n    value: {HEX}": "env:\n  - name: API_TOKEN\n    value: <token:1>",
    f"401 Unauthorized - {HEX} was revoked": "401 Unauthorized - <token:1> was revoked",
    "bad token-x7k2p:vx28n8dtmfrpmcmhcwksn8cc626zvnvmqm4f64ccbd8p7tjsj9qpb2": "bad token-x7k2p:<token:1>",
    "kubeadm join --discovery abcd1f.t66ng0fks11wjk51 failed": "kubeadm join --discovery <token:1> failed",
    f"asked with 1/1200345678901234:{HEX}": "asked with <token:1>",
    f"fc-{HEX} is over its limit": "<token:1> is over its limit",
    "PHPSESSID=b8e74ba2a7cf2a171edbf9c1fd2cfa27 expired": "PHPSESSID=<token:1> expired",
    "TOTP_SEED=5MDP7OXDQN3YZTFQPFWDMDNSLNUTUOOB": "TOTP_SEED=<token:1>",
    "mc alias set s3 https://s3.example ci u3KU0EwmE6ME1": "mc alias set s3 https://s3.example ci <token:1>",
    # private keys
    f"key:\n{PEM}\nend": "key:\n<key:1>\nend",
    PEM.partition("-----END")[0] + "\n[truncated]": "<key:1>\n\n[truncated]",
    PEM.replace("\n", "\\n"): "<key:1>",
    f"AGE-SECRET-KEY-1{'QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L' * 2}": "<key:1>",
    # people
    "mail ada.l+x@mail.example.org bounced": "mail <email:1> bounced",
    "from 10.1.2.3 to [2001:db8::7]:443": "from <ip:1> to [<ip:2>]:443",
    "BP-1347-10.190.173.170-1444": "BP-1347-<ip:1>-1444",
    "host/10.0.0.7:8030": "host/<ip:1>:8030",
    "ssh ada@10.0.0.5 failed": "ssh <user:1>@<ip:1> failed",
    "postgres://ada:hunter2@10.0.0.5/db": "postgres://<user:1>:<password:1>@<ip:1>/db",
    "open /home/ada/x.py and /Users/bob.b/y": "open <home:1>/x.py and <home:2>/y",
    "gcc -I/home/ada/include file:///home/ada/x": "gcc -I<home:1>/include file://<home:1>/x",
    r"C:\Users\Ada Lovelace\x and c:\\Users\\bob\\y": r"<home:1>\x and <home:2>\\y",
    "Invalid user fztu from 1.2.3.4": "Invalid user <user:1> from <ip:1>",
    "Access denied for user 'bob'@'localhost'": "Access denied for user '<user:1>'@'localhost'",
    'FATAL: role "bob" does not exist': 'FATAL: role "<user:1>" does not exist',
    "session opened for user fztu by (uid=0)": "session opened for user <user:1> by (uid=0)",
    "ada@laptop:~/src$ make": "<user:1>@laptop:~/src$ make",
    "/home/ada/x owned by 'ada'": "<home:1>/x owned by '<user:1>'",
}

KEPT = [
    'can be "trust", "reject", "md5", "password", "scram-sha-256", "token", "md5"; MovedAttribute("PasswordMgr", "urllib2")',
    "net use error 53; no net user found here; net use X: /delete; net user ada /delete",
    "openssl s_client -connect h:443 -key k.pem; 7z x -y a.7z; ssh-keygen -N '' -f k; sqlplus / as sysdba",
    "PASS tests/a.test.js\nPASS b; 250-AUTH LOGIN PLAIN; USER node\nRUN x",
    "Cache restored from key: Linux-npm-3b5d5c3712955042212316173ccf37be\ngpg: key 4E1F799AA4FF2279: public key not found",
    "NO_PUBKEY 871920D1991BC93C; using RSA key 0D69E11F12BDBA077B3726AB4E1F799AA4FF2279; private key: 2048 bits",
    "downloaded: h1:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=; pass=12 fail=3; apikey=REPLACE_ME",
    "partition_key=2024-01-01T00:00:00Z",
    "auth required pam_unix.so\nauth plugin caching_sha2_password\nauth failed for h42\nlogin: h / shell\nrocommunity public",
    "signal.connect('clicked', 'on_click', 'data'); {Password: Host:db}; password 8 characters; db:5432:5432",
    "> PASS src/a.test.js",
    "token=identifier; next_token=page2; /items?key=user-name-2024&code=ERR42; x-request-id: 7f3a2b1c9d8e4455",
    "Password for user ada: authentication failed; [sudo] password for ada: \nSorry; sudo: a password is required",
    "password is 8 characters; vault login failed; vault login: permission denied; htpasswd: command not found",
    "echo foo | sudo tee /etc/x; cat <<< hello; docker run -p 127.0.0.1:80:80 x; senha: incorreta; basic_auth: true",
    "description: |\n  some text\nsecret: |\n  <none>\nkind: SecretStore\ndata: none\nkubectl --from-literal=key=$VALUE",
    "AUTH failed\nAUTH handshake timeout\n250-AUTH LOGIN CRAM-MD5\nuser LOGIN as admin; WPA-PSK; PSK_IDENTITY = 115",
    "password sha512crypt, password OAuth2, password 8-chars long, the password is out-of-date; key seed CONFIGURATION",
    'docker run -u 1000:1000 -p 8080:80 x; git push -u origin -p; {"kind":"Secret","data":{"a":"{{ .x }}"}}',
    "kind: Secretary\ndata:\n  a: b\n---\nkind: Secret\n---\ndata:\n  a: b\n",
    "password: incorrect",
    "Error: password is required",
    "password=$DB_PASSWORD token=${TOKEN} secret={{ vault.x }} pwd=%PWD%",
    "https://root:${GIT_PASSWORD}@git.example.com/a and curl -u root:$PASSWORD https://x",
    "connect(user=user, password=password, secret=self.secret)",
    "Access denied (using password: YES)",
    "token: unexpected identifier",
    'os.environ["API_KEY"] is not set; api_key = settings.API_KEY; password = getpass()',
    "unknown option --token-file /run/x; --password is deprecated",
    "docker run -p 8080:80 nginx",
    "at 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b, sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "integrity sha512-aB3dE6gH9jK2mN5pQ8sT1vW4xY7zA0cD3fG6aB3dE6gH9jK2mN5pQ8sT1vW4xY7zA0cD3fG6w==",
    "instance 550e8400-e29b-41d4-a716-446655440000 of attempt_1445144423722_0020_m_000000_0",
    "java.net.NoRouteToHostException: RetryUpToMaximumCountWithFixedSleep(maxRetries=10)",
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGzS1pQmBcFGhJkLmNoPqRsTuVwXyZ0123456789abcd",
    "undefined symbol _ZNSt6vectorIiSaIiEE9push_backERKi4XyZ",
    "see p-eyt2fwgv7gwwvllniglchx34xq and git@github.com:a/b.git",
    "bound to 127.0.0.1:80, 0.0.0.0, ::1, 255.255.255.0, 224.0.0.1 and 169.254.169.254",
    "openssl-1.1.1.1, version 10.0.0.1, Chrome/120.0.0.0, pkg~=1.2.3.4 and 1.3.6.1.4.1.311",
    "std::vector at 12:34:56 on 00:1b:44:11:3a:b7",
    "GET /home/dashboard and /users/42, C:\\Users\\Public\\x",
    "icon@2x.png of lodash@4.17.21, getty@tty1.service, Event@7317849d",
    "git push -u origin HEAD; sort -u names; pip install --user requests; systemctl --user restart web",
    "the cache key for 550e8400-e29b-41d4-a716-446655440000 and the token for 9f86d081884c7d659a2feaa0c55ad015",
    "certificate 9f86d081884c7d659a2feaa0c55ad015 was revoked; web-9f86d081884c7d659a2feaa0c55ad015 stopped",
    "name: REPLICAS\n    value: 3, name: MODE\n    value: production1",
    "session id: 0x14ed93111f20027; upload abc123.tar.gz, v1a2b3.release-candidate",
    "user unknown; disconnected by user; Failed password for root from",
]


@pytest.mark.parametrize(("text", "expected"), REPLACED.items())
def test_what_is_replaced(text: str, expected: str) -> None:
    """A secret goes whole, what stands around it stays, and a second time changes nothing."""
    assert redact(text).text == expected
    assert redact(expected).text == expected


@pytest.mark.parametrize("text", KEPT)
def test_what_stays(text: str) -> None:
    """References, hashes, ids, versions, service accounts and sentences about secrets are no secrets."""
    assert redact(text).text == text


def test_numbers_by_first_appearance() -> None:
    """The same secret is the same placeholder in all texts of a record; a number that is taken is not given again."""
    redactor = Redactor()
    assert redactor.redact("b@x.org a@x.org b@x.org").text == "<email:1> <email:2> <email:1>"
    assert redactor.redact("a@x.org c@x.org").text == "<email:2> <email:3>"
    assert redact("<email:1> and a@x.org").text == "<email:1> and <email:2>"
    other = Redactor()
    other.reserve("was <email:1>")
    assert other.redact("a@x.org").text == "<email:2>"


def test_values_under_a_name() -> None:
    """The name of a value is its context: in a mapping, at any depth."""
    value = {"DB_PASSWORD": "hunter2", "hosts": ["10.0.0.1", "10.0.0.2"], "PORT": "5432", "a@x.org": 1}
    done, found = Redactor().redact_value("variables", value)
    assert done == {"DB_PASSWORD": "<password:1>", "hosts": ["<ip:1>", "<ip:2>"], "PORT": "5432", "<email:1>": 1}
    assert found == {"password": 1, "ip": 2, "email": 1}


@pytest.mark.parametrize("kind", KINDS)
def test_a_policy_keeps_a_kind(kind: str) -> None:
    """What a policy keeps stands as it was typed, and the rest does not."""
    text = f"a@x.org 10.0.0.1 /home/ada/x user=bob ghp_{MIXED} password=hunter2\n{PEM}"
    found = redact(text, Policy(keep=frozenset({kind}))).found
    assert set(found) == KINDS.keys() - {kind}


def test_names_of_the_account() -> None:
    """The account's own name goes where a name stands, and stays as a word."""
    text = redact("/srv/will/x: will fail for will@build", Policy(names=frozenset({"will", "root"}))).text
    assert text == "/srv/<user:1>/x: will fail for <user:1>@build"


def test_in_words() -> None:
    """What people are told: kinds and counts."""
    assert said(redact("a@x.org b@x.org password=hunter2").found) == "1 password, 2 e-mail addresses"
    assert said({}) == ""


@pytest.mark.parametrize(
    "text", [*REPLACED, "user=ada login to /home/ada/x failed", f"token {MIXED} of a@x.org at 10.0.0.1:80"]
)
def test_a_redacted_error_is_matched_by_the_raw_one(text: str) -> None:
    """Masked for comparing, both are equal, whoever's address, home or token it is; key blocks alone are not compared."""
    if "KEY-" not in text and "KEY" not in text:
        assert mask(redact(text).text) == mask(text)


_ALPHABET = "aA1@:/\\.-_='\" <>\n"
_PIECES = st.sampled_from(
    [
        *REPLACED,
        *KEPT,
        "<email:1>",
        "<token:1",
        "password=",
        "--password ",
        "user ",
        "://",
        "@",
        " ",
        "\n",
        '"',
        "'",
        ":",
        "=",
        ";",
    ]
)


@given(st.lists(_PIECES | st.text(_ALPHABET, max_size=12), max_size=6).map("".join))
def test_twice_is_once(text: str) -> None:
    """Whatever stands side by side: redacting what was redacted changes nothing and finds nothing."""
    once = redact(text)
    again = redact(once.text)
    assert (again.text, again.found) == (once.text, {})


@given(st.text(max_size=200))
def test_any_text(text: str) -> None:
    """No text is refused, and all that changed is what was found."""
    done = redact(text)
    assert sum(done.found.values()) <= len(PLACEHOLDER.findall(done.text))
    assert bool(done.found) == (done.text != text)
    assert mask(done.text) is not None


@given(st.text("abc xyz.,;\n", max_size=200))
def test_words_stay(text: str) -> None:
    """A text of words has no secrets."""
    assert redact(text).text == text


@pytest.mark.parametrize(
    "unit",
    ["password=", "token: ", "://a:", "@", "a@b.", "-----BEGIN RSA PRIVATE KEY-----", "1.", "2001:", "/home/", "user ",
     "--password ", '"', "'", "aA1", "cookie: a=bbbbbbbb;", "mysql -", "\x1b[", "<email:1>", "eyJ.", "key key ",
     "authorization: a "],
)  # fmt: skip
def test_cost_grows_with_the_text(unit: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Repeated ten times as often, whatever a rule begins with takes ten times as many matches."""
    calls = 0
    real = re.Pattern.match

    def cost(times: int) -> int:
        nonlocal calls
        import gitmem.core.redacting.rules as rules

        calls = 0

        class Counting:
            def __init__(self, pattern: re.Pattern[str]) -> None:
                self._pattern = pattern

            def __getattr__(self, name: str) -> object:
                return getattr(self._pattern, name)

            def match(self, *args: object) -> object:
                nonlocal calls
                calls += 1
                return real(self._pattern, *args)  # type: ignore[arg-type]

        with monkeypatch.context() as patch:
            compiled = rules.compiled
            patch.setattr(rules, "compiled", lambda *args: Counting(compiled(*args)))
            find(unit * times)
        return calls

    assert cost(2_000) <= 11 * cost(200) + 50


def test_specimens_are_what_they_stand_for() -> None:
    """A specimen is masked as what it stands for is, so that texts compare alike."""
    assert mask(specimens("<email:7> <ip:2> <home:1>/x")) == "<mail> <host> <path>"
    assert mask("password=<password:1> <token:3>") == "password=<id> <id>"


def test_a_redacted_expression_matches() -> None:
    """In a regular expression a placeholder stands for any word, and is none that must be there."""
    pattern = parse(redact("/mail from ada@example.org: .*refused/").text)
    assert pattern.match("mail from bob@example.net: connection refused")
    assert pattern.words() == ["from"]
