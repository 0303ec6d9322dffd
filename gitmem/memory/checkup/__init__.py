"""What can be wrong with a store on this machine, and how it is mended."""
