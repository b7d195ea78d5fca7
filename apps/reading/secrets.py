"""Keys and tokens in text: the prefixes that issuers give theirs, and what stands after "password"."""

from __future__ import annotations

import re

_BODY = r"[A-Za-z0-9_\-]"
# Prefix and shortest remainder, as the issuers document them.
_PREFIXED = (
    rf"(?:sk|pk|rk)[-_](?:ant|proj|live|test|or|lf|svcacct)?[-_]?{_BODY}{{16,200}}"
    rf"|(?:ghp|gho|ghu|ghs|ghr)_[A-Za-z0-9]{{20,255}}|github_pat_{_BODY}{{20,255}}|glpat-{_BODY}{{16,100}}"
    rf"|xox[abeoprs]-{_BODY}{{10,250}}|xapp-{_BODY}{{10,250}}|lmk_{_BODY}{{16,200}}"
    rf"|(?:AKIA|ASIA|AROA|AIDA)[A-Z0-9]{{16}}|AIza{_BODY}{{30,40}}|ya29\.{_BODY}{{20,400}}|GOCSPX-{_BODY}{{20,40}}"
    rf"|hf_[A-Za-z0-9]{{20,60}}|npm_[A-Za-z0-9]{{30,60}}|pypi-{_BODY}{{40,300}}|SG\.{_BODY}{{16,40}}\.{_BODY}{{16,80}}"
    rf"|whsec_[A-Za-z0-9+/]{{20,80}}|dop_v1_[a-f0-9]{{64}}|shp(?:at|ca|pa|ss)_[A-Fa-f0-9]{{32}}|sq0[a-z]{{3}}-{_BODY}{{20,50}}"
    rf"|AC[a-f0-9]{{32}}|SK[a-f0-9]{{32}}|key-[a-f0-9]{{32}}|r8_[A-Za-z0-9]{{30,50}}|gsk_[A-Za-z0-9]{{30,60}}"
    rf"|AGE-SECRET-KEY-1[A-Z0-9]{{50,60}}|lin_api_[A-Za-z0-9]{{30,50}}|ntn_[A-Za-z0-9]{{30,60}}|secret_[A-Za-z0-9]{{30,60}}"
    rf"|dckr_pat_{_BODY}{{20,60}}|atlasv1\.{_BODY}{{40,90}}|hvs\.{_BODY}{{20,200}}|phc_[A-Za-z0-9]{{30,60}}"
)
SECRET = re.compile(
    rf"(?<![A-Za-z0-9_-])(?:{_PREFIXED})"
    r"|\beyJ[A-Za-z0-9_-]{8,2000}\.[A-Za-z0-9_-]{4,4000}\.[A-Za-z0-9_-]{4,2000}"
    r"|-----BEGIN [A-Z ]{0,30}PRIVATE KEY-----(?:[^-]{0,8000}-----END [A-Z ]{0,30}PRIVATE KEY-----)?"
    r"|(?<=://)[^\s:/@]{1,100}:[^\s/@]{1,200}(?=@)"
)
# Every one of these is a word of at least 16 characters, which ordinary texts seldom hold.
SHORTEST = 16
NAMED_SECRET = re.compile(
    r"\b((?:(?:bearer|basic) (?=[A-Za-z0-9._~+/=-]{16}))"
    r"|(?:password|passwort|passwd|contraseña|senha|mot de passe|api[_ -]?key|(?:client_)?secret|(?:access_)?token)"
    r"(?:\s?[:=]\s?(?=\S{6})|\s(?:is|ist|es|est|é)\s(?=\S{0,40}[0-9])(?=\S{6})))(?!\[|\{)[^\s,;&\"']{6,2000}",
    re.I,
)
DIGIT = re.compile(r"[0-9]")
NAMES = ("bearer", "basic", "passw", "contras", "senha", "passe", "key", "secret", "token")


def may_hold_secret(text: str) -> bool:
    """A cheap look that spares most texts the pattern."""
    return max(map(len, text.split()), default=0) >= SHORTEST or "-----BEGIN" in text


def may_name_secret(text: str) -> bool:
    """The same for secrets that only the word before gives away: with a sign, a digit or a long word behind it."""
    if ":" not in text and "=" not in text and not DIGIT.search(text) and not may_hold_secret(text):
        return False
    lowered = text.lower()
    return any(name in lowered for name in NAMES)
