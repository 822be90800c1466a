"""Ingestion: files from senders become entries of the ledger."""
