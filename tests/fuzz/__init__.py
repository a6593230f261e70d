"""Uploads that nobody would send by mistake, and what becomes of them."""
