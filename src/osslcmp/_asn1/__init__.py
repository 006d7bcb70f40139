"""DER without C: the structures of CMP and CRMF, and what stands in them."""
