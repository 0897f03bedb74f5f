"""What Hipwise knows and how it says it: TOML files, and the code that reads and checks them."""
