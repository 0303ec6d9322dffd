"""To the team and back: taking in, handing on, healing, and refusing what has no place here."""
