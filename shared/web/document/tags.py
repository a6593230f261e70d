"""The document's chapters."""

#: In the order in which somebody would use them.
TAGS = {
    "data sets": "Read and remove data sets, whoever made them.",
    "preprocessing": "Take data sets in, and turn slices into training images.",
    "augmentation": "Traditional augmentation, seeded.",
    "gan": "Train class-conditional WGAN-GPs, and sample them.",
    "classification": "Train classifiers, ask them, and compare arms in experiments.",
    "jobs": "The ledger: what every call that makes work answers with.",
    "webhooks": "Signed messages to your server when jobs end.",
    "withdrawals": "Remove a patient, with all that was made of the patient's images.",
    "keys": "API keys and their scopes.",
    "usage": "What each key used, and who did what.",
    "console": "What the system does now, and how a browser is let in.",
    "health": "For orchestrators and monitoring; no key is asked for.",
}
