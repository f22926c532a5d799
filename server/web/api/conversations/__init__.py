"""HTTP endpoints of the conversation dialect (docs/dialects.md, "conversation"), in its envelope."""
