"""Webhooks: Standard Webhooks 1.0, https://www.standardwebhooks.com."""
