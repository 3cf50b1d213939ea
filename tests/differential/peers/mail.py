"""Asks checkdmarc and dkimpy about names, all at one name server: JSON in, JSON out."""

import functools
import json
import sys

import checkdmarc.dmarc
import checkdmarc.mta_sts
import checkdmarc.smtp_tls_reporting
import checkdmarc.spf
import dkim
import dns.resolver

question = json.load(sys.stdin)
resolver = dns.resolver.Resolver(configure=False)
resolver.nameservers = ["127.0.0.1"]
resolver.port = question.get("port", 53)
resolver.lifetime = 5.0
asking = {"resolver": resolver, "timeout": 5.0, "retries": 0}
# The explanation of a record is fetched without the resolver that was given.
checkdmarc.spf.get_txt_records = functools.partial(checkdmarc.spf.get_txt_records, resolver=resolver)


def failed(error):
    """What an error is called, and what it says."""
    found = getattr(error, "data", None) or {}
    return {"error": type(error).__name__, "message": str(error), "data": found}


def spf(name):
    try:
        found = checkdmarc.spf.query_spf_record(name, **asking)
    except Exception as error:
        return failed(error)
    try:
        parsed = checkdmarc.spf.parse_spf_record(found["record"], name, ignore_too_many_lookups=True, **asking)
    except Exception as error:
        return failed(error) | {"record": found["record"]}
    redirect = parsed["parsed"]["redirect"]
    end = redirect["parsed"]["all"] if redirect and redirect["parsed"] else parsed["parsed"]["all"]
    return {
        "record": found["record"],
        "too_many": parsed.get("error"),
        "lookups": parsed["dns_lookups"],
        "voids": parsed["void_dns_lookups"],
        "all": end,
        "warnings": found["warnings"] + parsed["warnings"],
    }


def dmarc(name):
    try:
        found = checkdmarc.dmarc.query_dmarc_record(name, ignore_unrelated_records=True, **asking)
    except Exception as error:
        return failed(error)
    try:
        parsed = checkdmarc.dmarc.parse_dmarc_record(found["record"], found["location"], ignore_unrelated_records=True, **asking)
    except Exception as error:
        return failed(error) | {"warnings": found["warnings"], "location": found["location"]}
    tags = {tag: value["value"] for tag, value in parsed["tags"].items()}
    return {
        "location": found["location"],
        "tags": tags,
        "explicit": [tag for tag, value in parsed["tags"].items() if value["explicit"]],
        "warnings": found["warnings"] + parsed["warnings"],
    }


def key(name):
    """The one text at a name, joined, as bytes that Python can write as text."""
    try:
        records = resolver.resolve(name, "TXT")
    except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
        return {"error": "absent"}
    texts = [b"".join(record.strings) for record in records]
    if len(texts) > 1:
        return {"error": "several"}
    try:
        _, bits, kind, _ = dkim.evaluate_pk(name, texts[0])
    except Exception as error:
        return failed(error)
    # A key for another service is none, and no error either.
    return {"bits": bits, "kind": kind.decode()} if kind else {"error": "service"}


def sts(name):
    try:
        found = checkdmarc.mta_sts.query_mta_sts_record(name, **asking)
        checkdmarc.mta_sts.parse_mta_sts_record(found["record"])
    except Exception as error:
        return failed(error)
    return {"warnings": found["warnings"]}


def policy(text):
    try:
        parsed = checkdmarc.mta_sts.parse_mta_sts_policy(text)
    except Exception as error:
        return failed(error)
    return {"policy": parsed["policy"], "warnings": parsed["warnings"]}


def reports(name):
    try:
        found = checkdmarc.smtp_tls_reporting.query_smtp_tls_reporting_record(name, **asking)
        checkdmarc.smtp_tls_reporting.parse_smtp_tls_reporting_record(found["record"])
    except Exception as error:
        return failed(error)
    return {"warnings": found["warnings"]}


about = {"spf": spf, "dmarc": dmarc, "key": key, "sts": sts, "policy": policy, "reports": reports}
json.dump([about[question["what"]](name) for name in question["names"]], sys.stdout)
