"""The HTTP contract as types: what requests carry and what answers hold."""
