"""Groups, conversations and users of the conversation dialect (docs/dialects.md, "conversation").

Only `server.app`, the dialect `conversation` and `server.web.api.conversations` import this package.
"""
