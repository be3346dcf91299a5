"""What becomes of the paper: whose hands a certificate goes through, and the blank forms it is printed on (article 18)."""
