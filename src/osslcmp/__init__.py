"""OpenSSL's own implementation of CMP (RFC 9810) for Python.

Names are imported when they are first used, so that the command and the pytest plugin start without libcrypto. What
type checkers see stands in ``__init__.pyi``.
"""

_MODULES = {
    "_asn1.itav": "InfoTypeAndValue",
    "_asn1.publication": "PublicationInfo PublicationPlace",
    "_asn1.x509_parts": "find_extension",
    "_openssl.certificate_check": "CertificateCheck",
    "_openssl.convert": "look_alike",
    "_openssl.lib": "features ffi lib openssl_version",
    "_openssl.providers": "LibraryContext Provider load_provider",
    "_openssl.tls": "TLS",
    "client": "Client",
    "client.aio": "AsyncClient AsyncTransaction",
    "client.request": "CertificateRequest",
    "client.revocation": "Revocation",
    "client.transaction": "Transaction",
    "context": "Context certconf",
    "context.crmf": "CertReqMsg",
    "context.deadline": "Progress",
    "context.general": "CertReqTemplate RootCAUpdate",
    "enrollment": "Enrollment",
    "enums": "CR IR KUR P10CR BodyType FailureInfo Option PKIStatus POPOMethod PublicationMethod"
    " RevocationReason Severity",
    "errors": "CMPError ConfirmError ErrorEntry OpenSSLError ProtectionError RejectedError RequestError ResponseError"
    " TransferError TransferTimeout UnreadableCRLError UnreadableCertificateError UnsupportedError",
    "limits": "Limits",
    "message": "Message",
    "message.bodyparts": "AlgorithmIdentifier",
    "trace": "Trace TraceEntry",
}
_WHERE = {name: module for module, names in _MODULES.items() for name in names.split()}

_SUBMODULES = {
    "general",
    "renewal",
    "server",
    "testing",
    "transport",
    *(name for name in _MODULES if name.isalpha()),
}
"""What ``osslcmp.X`` is, too, without an import of its own."""

__all__ = list(_WHERE)


def __getattr__(name: str) -> object:
    if name == "__version__":
        from importlib.metadata import version

        return version("osslcmp")
    if name not in _WHERE and name not in _SUBMODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    try:
        module = import_module(f".{_WHERE.get(name, name)}", __name__)
    except ImportError as error:
        from ._openssl.load_errors import explain

        if (reason := explain(error)) is None:
            raise
        raise ImportError(reason) from error
    value: object = module if name in _SUBMODULES else getattr(module, name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_WHERE})
