"""The signed log: written, read in words, verified, proved and witnessed."""
