// What Cloudflare's edge knows of a request, which a Worker has as `request.cf`: the members of its documentation, for
// nobody in particular. Bare workerd has it from a header, as a process behind the edge would.

/** The header's name, in workerd's configuration and in requests. */
export const CF_HEADER = "cf-blob";

const none = "0".repeat(64);

const edge = {
  asn: 64496,
  asOrganization: "Example Net",
  botManagement: {
    ...{ corporateProxy: false, detectionIds: {}, ja3Hash: none.slice(32), jsDetection: { passed: false } },
    ...{ score: 99, staticResource: false, verifiedBot: false },
  },
  city: "Berlin",
  clientAcceptEncoding: "gzip, deflate, br, zstd",
  clientTcpRtt: 14,
  colo: "FRA",
  continent: "EU",
  country: "DE",
  edgeRequestKeepAliveStatus: 1,
  httpProtocol: "HTTP/2",
  isEUCountry: "1",
  latitude: "52.51960",
  longitude: "13.40690",
  postalCode: "10178",
  region: "Land Berlin",
  regionCode: "BE",
  requestPriority: "weight=256;exclusive=1",
  timezone: "Europe/Berlin",
  tlsCipher: "AEAD-AES128-GCM-SHA256",
  tlsClientAuth: {
    ...{ certFingerprintSHA1: "", certFingerprintSHA256: "", certIssuerDN: "", certIssuerDNLegacy: "", certIssuerDNRFC2253: "" },
    ...{ certIssuerSerial: "", certIssuerSKI: "", certNotAfter: "", certNotBefore: "", certPresented: "0", certRevoked: "0" },
    ...{ certSerial: "", certSKI: "", certSubjectDN: "", certSubjectDNLegacy: "", certSubjectDNRFC2253: "", certVerified: "NONE" },
  },
  tlsClientExtensionsSha1: none.slice(36),
  tlsClientHelloLength: "1785",
  tlsClientRandom: none.slice(20),
  tlsExportedAuthenticator: { clientFinished: none, clientHandshake: none, serverFinished: none, serverHandshake: none },
  tlsVersion: "TLSv1.3",
};

/** The header. */
export const cfHeader = { [CF_HEADER]: JSON.stringify(edge) };
