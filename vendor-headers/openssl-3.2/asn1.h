/* Any ASN.1 item */
void *ASN1_item_unpack_ex(const ASN1_STRING *, const ASN1_ITEM *, OSSL_LIB_CTX *, const char *);
