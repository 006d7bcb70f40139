/* <openssl/cms.h>: CMS; what OpenSSL 3.5 added. */

/* Types */
typedef struct CMS_EnvelopedData_st CMS_EnvelopedData;
