//! One zone: its records, how it is signed, and what it answers.

use std::collections::{BTreeMap, BTreeSet};

use hickory_proto::dnssec::crypto::EcdsaSigningKey;
use hickory_proto::dnssec::rdata::sig::SigInput;
use hickory_proto::dnssec::rdata::{DNSKEY, DNSSECRData, DS, NSEC, RRSIG};
use hickory_proto::dnssec::{Algorithm, DigestType, PublicKeyBuf, SigningKey as _, TBS};
use hickory_proto::rr::{DNSClass, Name, RData, Record, RecordType, SerialNumber};
use hickory_proto::serialize::txt::Parser;
use jiff::Timestamp;

use crate::error::LabError;
use crate::plan::Signing;

/// Signatures begin an hour before now, for clocks that are a little off.
const SIGNED_BEFORE: i64 = 3600;
/// Signatures last a week, as those of large DNS providers do.
const SIGNED_FOR: i64 = 7 * 86_400;
const DAY: i64 = 86_400;

/// A zone that can answer.
#[derive(Debug, Clone)]
pub(crate) struct Zone {
    pub(crate) origin: Name,
    pub(crate) signing: Signing,
    sets: BTreeMap<(Name, RecordType), RecordSet>,
    /// Every name that exists, those without records of their own included.
    names: BTreeSet<Name>,
}

/// The records of one name and type with their signatures.
#[derive(Debug, Clone, Default)]
pub(crate) struct RecordSet {
    pub(crate) records: Vec<Record>,
    pub(crate) signatures: Vec<Record>,
}

impl RecordSet {
    /// The records, with the signatures where they are asked for.
    pub(crate) fn all(&self, signed: bool) -> impl Iterator<Item = &Record> {
        self.records.iter().chain(self.signatures.iter().filter(move |_| signed))
    }

    /// The same under another name, as a wildcard answers.
    fn renamed(&self, name: &Name) -> Self {
        let mut set = self.clone();
        for record in set.records.iter_mut().chain(&mut set.signatures) {
            record.name = name.clone();
        }
        set
    }
}

/// What a zone says to a question.
#[derive(Debug)]
pub(crate) enum ZoneAnswer {
    /// The records.
    Records(RecordSet),
    /// An alias and where it leads.
    Alias(RecordSet, Name),
    /// The name lies in a zone that is delegated to others.
    Referral(RecordSet),
    /// The name exists without records of the type.
    NoData,
    /// The name does not exist.
    NoName,
}

/// The key of a signed zone.
pub(crate) struct ZoneKey {
    key: EcdsaSigningKey,
    dnskey: DNSKEY,
}

impl ZoneKey {
    /// A new ECDSA P-256 key that signs keys and records alike.
    pub(crate) fn generate(zone: &str) -> Result<Self, LabError> {
        let wrong = |e: &dyn std::fmt::Display| problem(zone, format!("its key: {e}"));
        let algorithm = Algorithm::ECDSAP256SHA256;
        let der = EcdsaSigningKey::generate_pkcs8(algorithm).map_err(|e| wrong(&e))?;
        let key = EcdsaSigningKey::from_pkcs8(&der, algorithm).map_err(|e| wrong(&e))?;
        let public: PublicKeyBuf = key.to_public_key().map_err(|e| wrong(&e))?;
        Ok(Self { dnskey: DNSKEY::from_key(&public), key })
    }

    /// The data of the DS record that the parent holds, as a line of a zone file has it.
    pub(crate) fn ds(&self, zone: &str) -> Result<RData, LabError> {
        let origin = origin(zone)?;
        let wrong = |e: &dyn std::fmt::Display| problem(zone, format!("its DS record: {e}"));
        let digest = self.dnskey.to_digest(&origin, DigestType::SHA256).map_err(|e| wrong(&e))?;
        let tag = self.dnskey.calculate_key_tag().map_err(|e| wrong(&e))?;
        let ds = DS::new(tag, self.key.algorithm(), DigestType::SHA256, digest.as_ref().to_vec());
        Ok(RData::DNSSEC(DNSSECRData::DS(ds)))
    }
}

impl std::fmt::Debug for ZoneKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ZoneKey").finish_non_exhaustive()
    }
}

impl Zone {
    /// Reads the lines of a zone; `extra` are records that no line has, such as DS records.
    pub(crate) fn read(
        zone: &str,
        lines: &[String],
        extra: &[(Name, RData)],
        signing: Signing,
    ) -> Result<Self, LabError> {
        let origin = origin(zone)?;
        let mut this = Self { origin, signing, sets: BTreeMap::new(), names: BTreeSet::new() };
        for line in lines {
            let parser = Parser::new(format!("{line}\n"), None, Some(this.origin.clone()));
            let (_, sets) = parser.parse().map_err(|e| problem(zone, format!("{line}: {e}")))?;
            for set in sets.values() {
                for record in set.records_without_rrsigs() {
                    if !this.origin.zone_of(&record.name) {
                        return Err(problem(zone, format!("{line}: outside the zone")));
                    }
                    this.insert(record.clone());
                }
            }
        }
        for (name, data) in extra {
            this.insert(Record::from_rdata(name.clone(), 3600, data.clone()));
        }
        if this.get(&this.origin, RecordType::SOA).is_none() {
            return Err(problem(zone, "it has no SOA record".to_owned()));
        }
        Ok(this)
    }

    /// Adds the key, the chain of names and a signature to every set.
    pub(crate) fn sign(mut self, key: &ZoneKey, now: Timestamp) -> Result<Self, LabError> {
        let zone = self.origin.to_ascii();
        let (from, until) = if self.signing == Signing::Expired {
            (now.as_second() - SIGNED_FOR - DAY, now.as_second() - DAY)
        } else {
            (now.as_second() - SIGNED_BEFORE, now.as_second() + SIGNED_FOR)
        };
        let dnskey = RData::DNSSEC(DNSSECRData::DNSKEY(key.dnskey.clone()));
        self.insert(Record::from_rdata(self.origin.clone(), 3600, dnskey));
        self.chain();
        let tag = key.dnskey.calculate_key_tag().map_err(|e| problem(&zone, e.to_string()))?;
        let cuts = self.cuts();
        for ((name, kind), set) in &mut self.sets {
            // A delegation and what lies below it belong to the child (RFC 4035 section 2.2).
            let cut = cuts.iter().find(|cut| cut.zone_of(name));
            let own = cut
                .is_none_or(|cut| cut == name && matches!(kind, RecordType::DS | RecordType::NSEC));
            let Some(first) = set.records.first().filter(|_| own) else { continue };
            let input = SigInput {
                type_covered: *kind,
                algorithm: key.key.algorithm(),
                num_labels: name.num_labels(),
                original_ttl: first.ttl,
                sig_expiration: SerialNumber::new(wire_time(until)),
                sig_inception: SerialNumber::new(wire_time(from)),
                key_tag: tag,
                signer_name: self.origin.clone(),
            };
            let ttl = first.ttl;
            let wrong = |e: &dyn std::fmt::Display| problem(&zone, format!("{name} {kind}: {e}"));
            let bytes = TBS::from_input(name, DNSClass::IN, &input, set.records.iter())
                .map_err(|e| wrong(&e))?;
            let signature = key.key.sign(&bytes).map_err(|e| wrong(&e))?;
            let data = DNSSECRData::RRSIG(RRSIG::from_sig(input, signature));
            set.signatures = vec![Record::from_rdata(name.clone(), ttl, RData::DNSSEC(data))];
        }
        Ok(self)
    }

    /// What the zone says; `parent_side` leaves DS records of a child to be asked for here.
    pub(crate) fn answer(&self, name: &Name, kind: RecordType) -> ZoneAnswer {
        if let Some((cut, set)) = self.cut_above(name)
            && !(cut == *name && kind == RecordType::DS)
        {
            return ZoneAnswer::Referral(set.clone());
        }
        let (found, wild) = if self.names.contains(name) {
            (Some(name.clone()), false)
        } else {
            (self.wildcard(name), true)
        };
        let Some(found) = found else { return ZoneAnswer::NoName };
        let set = |kind| {
            let set = self.get(&found, kind)?;
            Some(if wild { set.renamed(name) } else { set.clone() })
        };
        if let Some(set) = set(kind) {
            return ZoneAnswer::Records(set);
        }
        if let Some(set) = set(RecordType::CNAME) {
            let target = set.records.first().and_then(|record| match &record.data {
                RData::CNAME(target) => Some(target.0.clone()),
                _ => None,
            });
            if let Some(target) = target {
                return ZoneAnswer::Alias(set, target);
            }
        }
        ZoneAnswer::NoData
    }

    /// The set of a name and type.
    pub(crate) fn get(&self, name: &Name, kind: RecordType) -> Option<&RecordSet> {
        self.sets.get(&(name.clone(), kind))
    }

    /// The sets that prove that a name or type is not there.
    pub(crate) fn denial(&self, name: &Name) -> Vec<&RecordSet> {
        let covering = |name: &Name| {
            self.sets
                .range(..=(name.clone(), RecordType::Unknown(u16::MAX)))
                .rev()
                .find(|((_, kind), _)| *kind == RecordType::NSEC)
                .map(|(_, set)| set)
        };
        let mut sets: Vec<_> = covering(name).into_iter().collect();
        if !self.names.contains(name)
            && let Ok(wildcard) = self.encloser(name).prepend_label("*")
        {
            sets.extend(covering(&wildcard));
        }
        sets
    }

    /// The addresses of name servers that lie below a delegation.
    pub(crate) fn glue(&self, referral: &RecordSet) -> Vec<Record> {
        let mut glue = Vec::new();
        for record in &referral.records {
            let RData::NS(server) = &record.data else { continue };
            for kind in [RecordType::A, RecordType::AAAA] {
                glue.extend(self.get(&server.0, kind).into_iter().flat_map(|s| s.records.clone()));
            }
        }
        glue
    }

    /// Every record, the SOA first, as a zone transfer sends them.
    pub(crate) fn transfer(&self) -> Vec<Record> {
        let soa = self.get(&self.origin, RecordType::SOA).cloned().unwrap_or_default().records;
        let rest = self.sets.iter().filter(|((_, kind), _)| *kind != RecordType::SOA);
        let mut records = soa.clone();
        records.extend(rest.flat_map(|(_, set)| set.all(true).cloned()));
        records.extend(soa);
        records
    }

    fn insert(&mut self, record: Record) {
        let mut name = record.name.clone();
        while self.origin.zone_of(&name) && self.names.insert(name.clone()) && !name.is_root() {
            name = name.base_name();
        }
        let set = self.sets.entry((record.name.clone(), record.record_type())).or_default();
        if !set.records.contains(&record) {
            set.records.push(record);
        }
    }

    /// Names at which another zone begins.
    fn cuts(&self) -> Vec<Name> {
        let delegations = self.sets.keys().filter(|(_, kind)| *kind == RecordType::NS);
        delegations.map(|(name, _)| name).filter(|name| **name != self.origin).cloned().collect()
    }

    fn cut_above(&self, name: &Name) -> Option<(Name, &RecordSet)> {
        let mut at = name.clone();
        while at != self.origin && self.origin.zone_of(&at) {
            if let Some(set) = self.get(&at, RecordType::NS) {
                return Some((at, set));
            }
            at = at.base_name();
        }
        None
    }

    /// The nearest name above that exists.
    fn encloser(&self, name: &Name) -> Name {
        let mut at = name.base_name();
        while !self.names.contains(&at) && at != self.origin && !at.is_root() {
            at = at.base_name();
        }
        at
    }

    fn wildcard(&self, name: &Name) -> Option<Name> {
        let wildcard = self.encloser(name).prepend_label("*").ok()?;
        self.names.contains(&wildcard).then_some(wildcard)
    }

    /// Links every name to the next one (RFC 4034 section 4).
    fn chain(&mut self) {
        let cuts = self.cuts();
        let hidden = |name: &Name| cuts.iter().any(|cut| cut.zone_of(name) && cut != name);
        let mut owners: Vec<Name> = Vec::new();
        for (name, _) in self.sets.keys() {
            if !hidden(name) && owners.last() != Some(name) {
                owners.push(name.clone());
            }
        }
        let nexts = owners.iter().skip(1).chain(owners.first()).cloned().collect::<Vec<_>>();
        for (name, next) in owners.iter().zip(nexts) {
            let kinds: Vec<_> =
                self.sets.keys().filter(|(n, _)| n == name).map(|(_, kind)| *kind).collect();
            let data = DNSSECRData::NSEC(NSEC::new_cover_self(next, kinds));
            self.insert(Record::from_rdata(name.clone(), 300, RData::DNSSEC(data)));
        }
    }
}

/// The origin as a full name.
pub(crate) fn origin(zone: &str) -> Result<Name, LabError> {
    let mut name = Name::from_ascii(zone).map_err(|e| problem(zone, e.to_string()))?;
    name.set_fqdn(true);
    Ok(name)
}

/// Times in signatures are seconds modulo 2^32 (RFC 4034 section 3.1.5).
fn wire_time(second: i64) -> u32 {
    u32::try_from(second.rem_euclid(1 << 32)).unwrap_or_default()
}

pub(crate) fn problem(zone: &str, message: String) -> LabError {
    LabError::Zone { zone: zone.to_owned(), message }
}
