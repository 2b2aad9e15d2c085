"""The end-to-end encryption of ``hubbub chat``: its options, its key store and its session."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import AsyncExitStack
from hashlib import blake2b
from pathlib import Path
from typing import Annotated, NamedTuple

import typer

from ..errors import Invalid, OtherDevices
from ..session import Session
from .environment import PASSPHRASE_VARIABLE, RECOVERY_KEY_VARIABLE

__all__ = [
    "EncryptedOption",
    "Encryption",
    "KeyStoreFile",
    "NewIdentity",
    "Recover",
    "encrypt_session",
    "encryption_of",
]

PRIVATE_DIRECTORY = 0o700
PANEL = "Encryption"

EncryptedOption = Annotated[
    bool,
    typer.Option(
        "--encrypted",
        rich_help_panel=PANEL,
        help="Encrypt messages from end to end. New rooms and conversations are encrypted. The "
        f"passphrase of your key store comes from {PASSPHRASE_VARIABLE}, or the command asks you.",
    ),
]
KeyStoreFile = Annotated[
    Path | None,
    typer.Option(
        "--keys",
        metavar="FILE",
        rich_help_panel=PANEL,
        help="The key store. By default, one for each user and server in your configuration.",
    ),
]
Recover = Annotated[
    bool,
    typer.Option(
        "--recover",
        rich_help_panel=PANEL,
        help="Restore a new key store from your backup. The recovery key comes from "
        f"{RECOVERY_KEY_VARIABLE}, or the command asks you.",
    ),
]
NewIdentity = Annotated[
    bool,
    typer.Option(
        "--new-identity",
        rich_help_panel=PANEL,
        help="Remove your other devices and begin with a new key, which others must accept.",
    ),
]


class Encryption(NamedTuple):
    """
    How to encrypt.

    Args:
        passphrase: opens the key store.
        store: the key store; None is the default one of the user.
        recovery_key: restores a new store; None is none.
        new_identity: True to remove the user's other devices and begin with a new key.
    """

    passphrase: str
    store: Path | None
    recovery_key: str | None
    new_identity: bool


def encryption_of(store: Path | None, *, recover: bool, new_identity: bool) -> Encryption:
    """
    Make it of the options, the environment, and what the user types.

    Args:
        store: of the option.
        recover: of the option.
        new_identity: of the option.
    """
    new = store is not None and not store.exists()
    passphrase = os.environ.get(PASSPHRASE_VARIABLE) or _asked(
        "Passphrase of your key store", confirmation_prompt=new
    )
    recovery_key = None
    if recover:
        recovery_key = os.environ.get(RECOVERY_KEY_VARIABLE) or _asked("Recovery key")
    return Encryption(passphrase, store, recovery_key, new_identity)


async def encrypt_session(
    encryption: Encryption, session: Session, stack: AsyncExitStack, url: str
) -> Session:
    """
    Return a session with the same methods that encrypts.

    Args:
        encryption: how.
        session: the user's.
        stack: closes it.
        url: the server's.

    Raises:
        OtherDevices: the user has other devices, and gave no recovery key.
        Conflict: another program has the store open.
        Invalid: the passphrase or the recovery key is wrong.
        StorageError: the store cannot be written.
    """
    from ..encryption import encrypted  # noqa: PLC0415  # it needs an extra

    passphrase, store, recovery_key, new_identity = encryption
    path = store or _default_store(url, session.user.id)
    try:
        found: object = await stack.enter_async_context(
            encrypted(
                session,
                store=path,
                passphrase=passphrase,
                recovery_key=recovery_key,
                replace=new_identity,
                device_name="hubbub chat",
            )
        )
    except OtherDevices as error:
        raise OtherDevices(
            "You have other devices. Use --recover to restore this one with your recovery key, "
            "or --new-identity to remove them all."
        ) from error
    # It has the same methods, and those of encryption besides.
    return found  # type: ignore[return-value]


def _default_store(url: str, user: str) -> Path:
    directory = Path(typer.get_app_dir("hubbub")) / "keys"
    directory.mkdir(mode=PRIVATE_DIRECTORY, parents=True, exist_ok=True)
    name = blake2b(f"{url.rstrip('/')}\n{user}".encode(), digest_size=16).hexdigest()
    return directory / f"{name}.keys"


def _asked(what: str, *, confirmation_prompt: bool = False) -> str:
    ask: Callable[..., str] = typer.prompt
    text = ask(what, hide_input=True, confirmation_prompt=confirmation_prompt, err=True)
    if not text:
        raise Invalid(f"Type a text: the {what.lower()} is empty.")
    return text
