"""Ingest, preprocessing and augmentation at the size of DeepLesion."""
