/* <openssl/objects.h>: object identifiers. */

/* Constants */
#define OBJ_NAME_TYPE_UNDEF ...
#define OBJ_NAME_TYPE_MD_METH ...
#define OBJ_NAME_TYPE_CIPHER_METH ...
#define OBJ_NAME_TYPE_PKEY_METH ...
#define OBJ_NAME_TYPE_COMP_METH ...
#define OBJ_NAME_TYPE_MAC_METH ...
#define OBJ_NAME_TYPE_KDF_METH ...
#define OBJ_NAME_TYPE_NUM ...

/* Object identifiers and their numbers */
ASN1_OBJECT *OBJ_dup(const ASN1_OBJECT *);
ASN1_OBJECT *OBJ_nid2obj(int);
const char *OBJ_nid2ln(int);
const char *OBJ_nid2sn(int);
int OBJ_obj2nid(const ASN1_OBJECT *);
ASN1_OBJECT *OBJ_txt2obj(const char *, int);
int OBJ_obj2txt(char *, int, const ASN1_OBJECT *, int);
int OBJ_txt2nid(const char *);
int OBJ_ln2nid(const char *);
int OBJ_sn2nid(const char *);
int OBJ_cmp(const ASN1_OBJECT *, const ASN1_OBJECT *);
int OBJ_new_nid(int);
int OBJ_add_object(const ASN1_OBJECT *);
int OBJ_create(const char *, const char *, const char *);
size_t OBJ_length(const ASN1_OBJECT *);
const unsigned char *OBJ_get0_data(const ASN1_OBJECT *);
int OBJ_find_sigid_algs(int, int *, int *);
int OBJ_find_sigid_by_algs(int *, int, int);
