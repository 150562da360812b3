"""Which calls are recorded: a part of all that the operator chose, whatever a client says about it."""

import random
from collections.abc import Sequence

from opentelemetry.context import Context
from opentelemetry.sdk.trace.sampling import Decision, Sampler, SamplingResult
from opentelemetry.trace import Link, SpanKind, TraceState, get_current_span
from opentelemetry.util.types import Attributes


class OwnSampler(Sampler):
    """Takes a part of all traces that begin here. What a trace began with here, all its spans share.

    A client may name the trace that its call belongs to. It cannot hide the call by marking that trace as not recorded,
    nor have more recorded, nor add a text of its own: its trace state is left out.
    """

    def __init__(self, ratio: float) -> None:
        """`ratio` is the part, from 0 to 1."""
        self._ratio = ratio

    def should_sample(
        self,
        parent_context: Context | None,
        trace_id: int,
        name: str,
        kind: SpanKind | None = None,
        attributes: Attributes = None,
        links: Sequence[Link] | None = None,
        trace_state: TraceState | None = None,
    ) -> SamplingResult:
        """Decide about a span."""
        parent = get_current_span(parent_context).get_span_context()
        if parent.is_valid and not parent.is_remote:
            is_taken = parent.trace_flags.sampled
        else:
            is_taken = random.random() < self._ratio  # noqa: S311 - a choice, not a secret
        return SamplingResult(Decision.RECORD_AND_SAMPLE if is_taken else Decision.DROP, attributes)

    def get_description(self) -> str:
        """Describe it for logs of the SDK."""
        return f"OwnSampler({self._ratio})"
