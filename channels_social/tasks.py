"""What workers do for messengers and social networks. Tasks carry ids and are safe to run twice."""

from celery import shared_task

from channels_social import posts, profiles


@shared_task(name="channels_social.tasks.profiles")
def fetch_profiles(channel_id: int, *identities: int) -> int:
    """Ask a platform what these people call themselves, who are known by a number alone."""
    return profiles.fetch(channel_id, identities)


@shared_task(name="channels_social.tasks.posts")
def fetch_posts(channel_id: int, *messages: int) -> int:
    """Ask a platform what these comments stand under."""
    return posts.fetch(channel_id, messages)
