//! Turns messages into the port's own answers.

use hickory_proto::dnssec::PublicKey as _;
use hickory_proto::dnssec::rdata::DNSSECRData;
use hickory_proto::op::{Message, ResponseCode};
use hickory_proto::rr::{Name, RData, Record, RecordType as Kind};
use launchready_checks::probe::{DnsAnswer, DnsData, DnsRecord, Rcode, RecordType};

/// The most records of one section that are kept.
const RECORDS: usize = 5000;

pub(super) fn record_type(kind: RecordType) -> Kind {
    match kind {
        RecordType::A => Kind::A,
        RecordType::Aaaa => Kind::AAAA,
        RecordType::Caa => Kind::CAA,
        RecordType::Cname => Kind::CNAME,
        RecordType::Dnskey => Kind::DNSKEY,
        RecordType::Ds => Kind::DS,
        RecordType::Mx => Kind::MX,
        RecordType::Ns => Kind::NS,
        RecordType::Ptr => Kind::PTR,
        RecordType::Rrsig => Kind::RRSIG,
        RecordType::Soa => Kind::SOA,
        RecordType::Tlsa => Kind::TLSA,
        RecordType::Txt => Kind::TXT,
    }
}

pub(super) fn answer(message: &Message) -> DnsAnswer {
    let section = |records: &[Record]| records.iter().take(RECORDS).map(record).collect();
    DnsAnswer {
        rcode: match message.metadata.response_code {
            ResponseCode::NoError => Rcode::NoError,
            ResponseCode::NXDomain => Rcode::NxDomain,
            ResponseCode::ServFail => Rcode::ServFail,
            ResponseCode::Refused => Rcode::Refused,
            other => Rcode::Other(u16::from(other)),
        },
        authoritative: message.metadata.authoritative,
        authenticated: message.metadata.authentic_data,
        answers: section(&message.answers),
        authority: section(&message.authorities),
    }
}

fn record(record: &Record) -> DnsRecord {
    DnsRecord { name: text(&record.name), ttl: record.ttl, data: data(&record.data) }
}

/// Lower case, without the trailing dot.
fn text(name: &Name) -> String {
    let mut text = name.to_ascii().to_ascii_lowercase();
    if text.ends_with('.') {
        text.pop();
    }
    text
}

/// Bytes one by one as U+0000 to U+00FF, so that nothing is lost.
fn latin(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| char::from(*byte)).collect()
}

fn data(data: &RData) -> DnsData {
    match data {
        RData::A(address) => DnsData::A(address.0),
        RData::AAAA(address) => DnsData::Aaaa(address.0),
        RData::CNAME(name) => DnsData::Cname(text(&name.0)),
        RData::NS(name) => DnsData::Ns(text(&name.0)),
        RData::PTR(name) => DnsData::Ptr(text(&name.0)),
        RData::MX(mx) => DnsData::Mx { preference: mx.preference, exchange: text(&mx.exchange) },
        RData::TXT(txt) => DnsData::Txt(txt.txt_data.iter().map(|part| latin(part)).collect()),
        RData::SOA(soa) => DnsData::Soa {
            mname: text(&soa.mname),
            rname: text(&soa.rname),
            serial: soa.serial,
            refresh: i64::from(soa.refresh),
            retry: i64::from(soa.retry),
            expire: i64::from(soa.expire),
            minimum: soa.minimum,
        },
        RData::CAA(caa) => DnsData::Caa {
            critical: caa.issuer_critical,
            tag: caa.tag.to_ascii_lowercase(),
            value: latin(&caa.value),
        },
        RData::TLSA(tlsa) => DnsData::Tlsa {
            usage: tlsa.cert_usage.into(),
            selector: tlsa.selector.into(),
            matching: tlsa.matching.into(),
            data: hex::encode(&tlsa.cert_data),
        },
        RData::DNSSEC(inner) => {
            dnssec(inner).unwrap_or_else(|| DnsData::Other(data.record_type().into()))
        }
        other => DnsData::Other(other.record_type().into()),
    }
}

fn dnssec(data: &DNSSECRData) -> Option<DnsData> {
    use base64::Engine as _;
    Some(match data {
        DNSSECRData::DNSKEY(key) => DnsData::Dnskey {
            flags: key.flags(),
            algorithm: u8::from(key.public_key().algorithm()),
            key_tag: key.calculate_key_tag().unwrap_or_default(),
            public_key: base64::engine::general_purpose::STANDARD
                .encode(key.public_key().public_bytes()),
        },
        DNSSECRData::DS(ds) => DnsData::Ds {
            key_tag: ds.key_tag(),
            algorithm: u8::from(ds.algorithm()),
            digest_type: u8::from(ds.digest_type()),
            digest: hex::encode(ds.digest()),
        },
        DNSSECRData::RRSIG(signature) => {
            let input = signature.input();
            DnsData::Rrsig {
                covered: input.type_covered.to_string(),
                algorithm: u8::from(input.algorithm),
                key_tag: input.key_tag,
                signer: text(&input.signer_name),
                inception: i64::from(input.sig_inception.get()),
                expiration: i64::from(input.sig_expiration.get()),
            }
        }
        _ => return None,
    })
}
