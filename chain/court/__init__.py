"""What the court hashes, signs and draws by, byte for byte as its contracts do. Pure.

Layouts: docs/court.md, "Layouts". All of it takes what strangers have sent: sizes are bounded where something is decoded
(`chain.documents.case`), and what does not fit a layout raises ValueError here.
"""
