"""Asks sslyze about servers on loopback: JSON in, JSON out."""

import json
import sys
from pathlib import Path

from sslyze import (
    CertificateInfoExtraArgument,
    ScanCommand,
    ScanCommandAttemptStatusEnum,
    ScanCommandsExtraArguments,
    Scanner,
    ServerNetworkLocation,
    ServerScanRequest,
)

VERSIONS = {
    "1.0": ScanCommand.TLS_1_0_CIPHER_SUITES,
    "1.1": ScanCommand.TLS_1_1_CIPHER_SUITES,
    "1.2": ScanCommand.TLS_1_2_CIPHER_SUITES,
    "1.3": ScanCommand.TLS_1_3_CIPHER_SUITES,
}


def scan(locations, commands, extra=None):
    """The results in the order of the locations."""
    scanner = Scanner(per_server_concurrent_connections_limit=5, concurrent_server_scans_limit=8)
    requests = [
        ServerScanRequest(server_location=location, scan_commands=commands, **({"scan_commands_extra_arguments": extra} if extra else {}))
        for location in locations
    ]
    scanner.queue_scans(requests)
    found = {result.uuid: result for result in scanner.get_results()}
    return [found[request.uuid] for request in requests]


def certificate(result):
    if result.scan_result is None:
        return {"error": "no connection"}
    attempt = result.scan_result.certificate_info
    if attempt.status != ScanCommandAttemptStatusEnum.COMPLETED:
        return {"error": str(attempt.error_reason)}
    deployment = attempt.result.certificate_deployments[0]
    own = [path for path in deployment.path_validation_results if path.trust_store.name.startswith("Supplied")]
    return {
        "trusted": own[0].was_validation_successful,
        "why": own[0].validation_error,
        "sha1": deployment.verified_chain_has_sha1_signature,
    }


def versions(result):
    if result.scan_result is None:
        return {"error": "no connection"}
    seen = {}
    for name, command in VERSIONS.items():
        attempt = getattr(result.scan_result, command.value)
        if attempt.status != ScanCommandAttemptStatusEnum.COMPLETED:
            return {"error": str(attempt.error_reason)}
        seen[name] = [accepted.cipher_suite.name for accepted in attempt.result.accepted_cipher_suites]
    return seen


question = json.load(sys.stdin)
if question["what"] == "certificates":
    places = [ServerNetworkLocation(host, question["port"], "127.0.0.1") for host in question["hosts"]]
    extra = ScanCommandsExtraArguments(certificate_info=CertificateInfoExtraArgument(custom_ca_file=Path(question["root"])))
    results = scan(places, {ScanCommand.CERTIFICATE_INFO}, extra)
    answer = {host: certificate(result) for host, result in zip(question["hosts"], results)}
else:
    places = [ServerNetworkLocation(question["host"], port, "127.0.0.1") for port in question["ports"]]
    answer = [versions(result) for result in scan(places, set(VERSIONS.values()))]
json.dump(answer, sys.stdout)
