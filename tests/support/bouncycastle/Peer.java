// A CMP client made of Bouncy Castle's classes: enrols, confirms, updates and revokes at a server (RFC 9810, 9483).
//
// java Peer session URL REFERENCE SECRET [TOKEN]   runs such a session, and tells each step
// java Peer parse SECRET FILE...                   decodes messages, and verifies the MAC of those that have one
// java Peer controls FILE                          tells the controls and the regInfo of a certificate request message

import java.math.BigInteger;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.SecureRandom;
import java.security.Security;
import java.util.Arrays;
import java.util.Date;
import org.bouncycastle.asn1.ASN1OctetString;
import org.bouncycastle.asn1.ASN1UTF8String;
import org.bouncycastle.asn1.cmp.CMPObjectIdentifiers;
import org.bouncycastle.asn1.cmp.CertRepMessage;
import org.bouncycastle.asn1.cmp.CertResponse;
import org.bouncycastle.asn1.cmp.ErrorMsgContent;
import org.bouncycastle.asn1.cmp.PKIBody;
import org.bouncycastle.asn1.cmp.PKIHeader;
import org.bouncycastle.asn1.cmp.PKIStatusInfo;
import org.bouncycastle.asn1.cmp.RevDetails;
import org.bouncycastle.asn1.cmp.RevRepContent;
import org.bouncycastle.asn1.cmp.RevReqContent;
import org.bouncycastle.asn1.crmf.AttributeTypeAndValue;
import org.bouncycastle.asn1.crmf.CRMFObjectIdentifiers;
import org.bouncycastle.asn1.crmf.CertId;
import org.bouncycastle.asn1.crmf.CertReqMessages;
import org.bouncycastle.asn1.crmf.CertReqMsg;
import org.bouncycastle.asn1.crmf.CertRequest;
import org.bouncycastle.asn1.crmf.CertTemplate;
import org.bouncycastle.asn1.crmf.CertTemplateBuilder;
import org.bouncycastle.asn1.crmf.PKIPublicationInfo;
import org.bouncycastle.asn1.x500.X500Name;
import org.bouncycastle.asn1.x509.CRLReason;
import org.bouncycastle.asn1.x509.Extension;
import org.bouncycastle.asn1.x509.Extensions;
import org.bouncycastle.asn1.x509.GeneralName;
import org.bouncycastle.asn1.x509.SubjectKeyIdentifier;
import org.bouncycastle.asn1.x509.SubjectPublicKeyInfo;
import org.bouncycastle.cert.X509CertificateHolder;
import org.bouncycastle.cert.cmp.CertificateConfirmationContentBuilder;
import org.bouncycastle.cert.cmp.GeneralPKIMessage;
import org.bouncycastle.cert.cmp.ProtectedPKIMessage;
import org.bouncycastle.cert.cmp.ProtectedPKIMessageBuilder;
import org.bouncycastle.cert.crmf.AuthenticatorControl;
import org.bouncycastle.cert.crmf.CertificateRequestMessage;
import org.bouncycastle.cert.crmf.CertificateRequestMessageBuilder;
import org.bouncycastle.cert.crmf.PKMACBuilder;
import org.bouncycastle.cert.crmf.RegTokenControl;
import org.bouncycastle.cert.crmf.jcajce.JcePKMACValuesCalculator;
import org.bouncycastle.jce.provider.BouncyCastleProvider;
import org.bouncycastle.operator.ContentSigner;
import org.bouncycastle.operator.jcajce.JcaContentSignerBuilder;
import org.bouncycastle.operator.jcajce.JcaContentVerifierProviderBuilder;
import org.bouncycastle.operator.jcajce.JcaDigestCalculatorProviderBuilder;

public final class Peer {
    private static final SecureRandom RANDOM = new SecureRandom();
    private static final GeneralName NOBODY = new GeneralName(new X500Name(new org.bouncycastle.asn1.x500.RDN[0]));

    private final String url;
    private final byte[] reference;
    private final char[] secret;
    private X509CertificateHolder certificate;
    private KeyPair keys;
    private X509CertificateHolder[] others = new X509CertificateHolder[0];
    private byte[] transaction;
    private byte[] serverNonce;
    private String token;

    private Peer(String url, String reference, String secret) throws Exception {
        this.url = url;
        this.reference = reference.getBytes("UTF-8");
        this.secret = secret.toCharArray();
    }

    public static void main(String[] arguments) throws Exception {
        Security.addProvider(new BouncyCastleProvider());
        if (arguments[0].equals("parse")) {
            for (String file : Arrays.copyOfRange(arguments, 2, arguments.length)) {
                parse(Files.readAllBytes(Path.of(file)), arguments[1].toCharArray());
            }
            return;
        }
        if (arguments[0].equals("controls")) {
            controls(CertReqMsg.getInstance(Files.readAllBytes(Path.of(arguments[1]))));
            return;
        }
        Peer peer = new Peer(arguments[1], arguments[2], arguments[3]);
        peer.token = arguments.length > 4 ? arguments[4] : null;
        peer.session();
    }

    private static void controls(CertReqMsg message) throws Exception {
        CertificateRequestMessage request = new CertificateRequestMessage(message);
        tell("regToken", request.getControl(CRMFObjectIdentifiers.id_regCtrl_regToken).getValue());
        tell("authenticator", request.getControl(CRMFObjectIdentifiers.id_regCtrl_authenticator).getValue());
        for (AttributeTypeAndValue one : message.getCertReq().getControls().toAttributeTypeAndValueArray()) {
            if (one.getType().equals(CRMFObjectIdentifiers.id_regCtrl_pkiPublicationInfo)) {
                PKIPublicationInfo info = PKIPublicationInfo.getInstance(one.getValue());
                tell("action", info.getAction());
                tell("place", info.getPubInfos()[0].getPubMethod() + " " + info.getPubInfos()[0].getPubLocation());
            } else if (one.getType().on(CRMFObjectIdentifiers.id_regCtrl) && one.getType().getId().endsWith(".6")) {
                tell("key", SubjectPublicKeyInfo.getInstance(one.getValue()).getAlgorithm().getParameters());
            } else if (one.getType().on(CRMFObjectIdentifiers.id_regCtrl) && one.getType().getId().endsWith(".5")) {
                tell("oldCertID", CertId.getInstance(one.getValue()).getSerialNumber());
            }
        }
        for (AttributeTypeAndValue one : message.getRegInfo()) {
            tell(one.getType().getId(), one.getValue() instanceof ASN1UTF8String
                ? one.getValue()
                : CertRequest.getInstance(one.getValue()).getCertTemplate().getSubject());
        }
        System.out.println("proof " + request.isValidSigningKeyPOP(
            new JcaContentVerifierProviderBuilder().setProvider("BC").build(request.getCertTemplate().getPublicKey())));
    }

    private static void tell(String what, Object value) {
        System.out.println(what + " " + value);
    }

    private static void parse(byte[] data, char[] secret) throws Exception {
        GeneralPKIMessage message = new GeneralPKIMessage(data);
        if (!Arrays.equals(data, message.toASN1Structure().getEncoded("DER"))) {
            throw new IllegalStateException("encoded again it is another message");
        }
        String verified = "unprotected";
        if (message.hasProtection()) {
            ProtectedPKIMessage guarded = new ProtectedPKIMessage(message);
            verified = "signed";
            if (guarded.hasPasswordBasedMacProtection()) {
                verified = "MAC " + guarded.verify(macs(), secret);
            } else if (guarded.getCertificates().length > 0) {
                verified = "signed " + guarded.verify(
                    new JcaContentVerifierProviderBuilder().setProvider("BC").build(guarded.getCertificates()[0]));
            }
        }
        System.out.println(message.getBody().getType() + " " + verified);
    }

    private static PKMACBuilder macs() throws Exception {
        return new PKMACBuilder(new JcePKMACValuesCalculator().setProvider("BC"));
    }

    private static KeyPair newKeys() throws Exception {
        KeyPairGenerator generator = KeyPairGenerator.getInstance("EC", "BC");
        generator.initialize(256);
        return generator.generateKeyPair();
    }

    private static byte[] fresh() {
        byte[] octets = new byte[16];
        RANDOM.nextBytes(octets);
        return octets;
    }

    private static ContentSigner signer(KeyPair pair) throws Exception {
        return new JcaContentSignerBuilder("SHA256withECDSA").setProvider("BC").build(pair.getPrivate());
    }

    private void session() throws Exception {
        X500Name name = new X500Name("CN=bouncy");
        enrol("ir", PKIBody.TYPE_INIT_REQ, name);
        enrol("kur", PKIBody.TYPE_KEY_UPDATE_REQ, name);
        CertTemplate template = new CertTemplateBuilder()
            .setIssuer(certificate.getIssuer())
            .setSerialNumber(new org.bouncycastle.asn1.ASN1Integer(certificate.getSerialNumber()))
            .build();
        Extension reason = new Extension(
            Extension.reasonCode, false, CRLReason.lookup(CRLReason.superseded).getEncoded());
        transaction = fresh();
        serverNonce = null;
        PKIBody answer = exchange(new PKIBody(
            PKIBody.TYPE_REVOCATION_REQ,
            new RevReqContent(new RevDetails(template, new Extensions(reason)))));
        accepted(((RevRepContent) expect(answer, PKIBody.TYPE_REVOCATION_REP)).getStatus()[0]);
        System.out.println("rr accepted " + certificate.getSerialNumber());
    }

    private void enrol(String what, int type, X500Name name) throws Exception {
        transaction = fresh();
        serverNonce = null;
        KeyPair wanted = newKeys();
        CertificateRequestMessageBuilder builder = new CertificateRequestMessageBuilder(BigInteger.ZERO)
            .setSubject(name)
            .setPublicKey(SubjectPublicKeyInfo.getInstance(wanted.getPublic().getEncoded()))
            .setProofOfPossessionSigningKeySigner(signer(wanted));
        if (token != null) {
            builder.addControl(new RegTokenControl(token)).addControl(new AuthenticatorControl(token));
        }
        CertReqMsg request = builder.build().toASN1Structure();
        PKIBody answer = exchange(new PKIBody(type, new CertReqMessages(new CertReqMsg[] {request})));
        CertResponse response = ((CertRepMessage) expect(answer, type + 1)).getResponse()[0];
        accepted(response.getStatus());
        X509CertificateHolder issued = new X509CertificateHolder(
            response.getCertifiedKeyPair().getCertOrEncCert().getCertificate().getX509v3PKCert());
        PKIBody confirmation = new PKIBody(
            PKIBody.TYPE_CERT_CONFIRM,
            new CertificateConfirmationContentBuilder()
                .addAcceptedCertificate(issued, BigInteger.ZERO)
                .build(new JcaDigestCalculatorProviderBuilder().setProvider("BC").build())
                .toASN1Structure());
        expect(exchange(confirmation), PKIBody.TYPE_CONFIRM);
        certificate = issued;
        keys = wanted;
        System.out.println(what + " confirmed " + issued.getSerialNumber());
    }

    private PKIBody exchange(PKIBody body) throws Exception {
        byte[] nonce = fresh();
        GeneralName sender = certificate == null ? NOBODY : new GeneralName(certificate.getSubject());
        ProtectedPKIMessageBuilder builder = new ProtectedPKIMessageBuilder(sender, NOBODY)
            .setMessageTime(new Date())
            .setTransactionID(transaction)
            .setSenderNonce(nonce);
        if (serverNonce != null) {
            builder.setRecipNonce(serverNonce);
        }
        ProtectedPKIMessage message;
        builder.setBody(body);
        if (certificate == null) {
            message = builder.setSenderKID(reference).build(macs().build(secret));
        } else {
            builder.setSenderKID(SubjectKeyIdentifier.fromExtensions(certificate.getExtensions()).getKeyIdentifier());
            builder.addCMPCertificate(certificate);
            message = builder.build(signer(keys));
        }
        HttpResponse<byte[]> response = HttpClient.newHttpClient().send(
            HttpRequest.newBuilder(URI.create(url))
                .header("Content-Type", "application/pkixcmp")
                .POST(HttpRequest.BodyPublishers.ofByteArray(message.toASN1Structure().getEncoded("DER")))
                .build(),
            HttpResponse.BodyHandlers.ofByteArray());
        ProtectedPKIMessage answer = new ProtectedPKIMessage(new GeneralPKIMessage(response.body()));
        boolean verified = certificate == null
            ? answer.verify(macs(), secret)
            : answer.verify(
                new JcaContentVerifierProviderBuilder().setProvider("BC").build(answer.getCertificates()[0]));
        PKIHeader header = answer.getHeader();
        boolean ours = ASN1OctetString.getInstance(header.getRecipNonce()).equals(
            new org.bouncycastle.asn1.DEROctetString(nonce));
        if (!verified || !ours) {
            throw new IllegalStateException("verified: " + verified + ", recipNonce: " + ours);
        }
        serverNonce = header.getSenderNonce().getOctets();
        return answer.getBody();
    }

    private static Object expect(PKIBody body, int type) {
        if (body.getType() == PKIBody.TYPE_ERROR) {
            PKIStatusInfo info = ((ErrorMsgContent) body.getContent()).getPKIStatusInfo();
            throw new IllegalStateException("error: " + info.getStatusString().getStringAtUTF8(0));
        }
        if (body.getType() != type) {
            throw new IllegalStateException("body " + body.getType());
        }
        return body.getContent();
    }

    private static void accepted(PKIStatusInfo info) {
        if (info.getStatus().intValue() != 0) {
            throw new IllegalStateException("status " + info.getStatus() + " " + info.getStatusString());
        }
    }
}
