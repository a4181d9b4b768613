"""What needs torch. Nothing else in archdsl imports it, and what is in here is imported only when it is used."""
