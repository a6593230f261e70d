"""The operations of our augmentation, done by other libraries."""
