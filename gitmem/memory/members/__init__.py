"""Who may read and write what: members, scopes and keys."""
