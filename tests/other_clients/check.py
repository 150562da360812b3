"""Compare what a client hands to its model with what has to be in it: `check.py NAME < what the script printed`."""

import json
import sys

MUST_SAY: dict[str, tuple[str, ...]] = {
    "read": ("+12015550142", "by_provider", "next_cursor"),
    "pending": (
        "NOT SENT. A person has to approve this first",
        "+12125550142",
        "Free, as far as the documentation says",
        "ringfence approvals approve act_",
        "make exactly the same call again",
    ),
    "done": ("Done: ", "act_"),
}


def main() -> None:
    """Print what is missing, and end with 1 if anything is."""
    name, shown = sys.argv[1], json.loads(sys.stdin.read() or "{}")
    missing = [
        f"{part}: {said}" for part, words in MUST_SAY.items() for said in words if said not in shown.get(part, "")
    ]
    if shown.get("tools", 0) < 20:
        missing.append(f"tools: {shown.get('tools', 0)}")
    print(f"{name}: {'; '.join(missing) or 'ok'}")
    sys.exit(1 if missing else 0)


if __name__ == "__main__":
    main()
