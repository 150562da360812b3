"""What the settings let conditions of allowances ask for."""

from guard.allowances.fitness import Fitness
from server.settings.model import Settings
from tools.registry import provider_named


def fitness_of(settings: Settings) -> Fitness:
    """Return how long incoming texts are kept, and of which providers groups can be looked up."""
    having = {name for name in settings.set_up if provider_named(name).group_members is not None}
    return Fitness(keeps_texts_days=settings.http.keep_callbacks_days, groups_at=having)
