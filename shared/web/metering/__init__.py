"""What an API says of itself and, where it is the gateway, of the ledger."""
