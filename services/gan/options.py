"""What a command's options mean for the engine: all that the contract allows, it takes."""

from lesiongan.contracts.gans import GanCommand
from services.gan.domain.config import Architecture, Training
from shared.db.tables import GanRow


def architecture(gan: GanRow, command: GanCommand) -> Architecture:
    """The shape of the networks; wide ones are as wide where the resolution is low."""
    return Architecture(
        image_size=gan.image_size,
        channels=gan.channels,
        categories=tuple(gan.categories),
        width=command.width,
        max_width=max(Architecture.max_width, command.width),
        latent_size=command.latent,
    )


def training(command: GanCommand, *, unlabelled: bool) -> Training:
    """The training; ``unlabelled``: whether the data set has training images without a label."""
    return Training(
        steps=command.steps,
        batch_size=command.batch_size,
        n_critic=command.n_critic,
        gradient_penalty=command.gradient_penalty,
        learning_rate=command.learning_rate,
        betas=(command.beta1, command.beta2),
        ema_decay=command.ema_decay,
        seed=command.seed,
        checkpoint_every=command.checkpoint_every,
        preview_every=command.preview_every,
        metrics_every=min(10, command.steps),
        evaluate_every=command.evaluate_every,
        diff_augment=tuple(command.diff_augment),
        consistency=command.consistency,
        unlabelled_share=command.unlabelled_share if unlabelled else 0.0,
        pretrain_steps=command.pretrain_steps,
        watchdog=command.watchdog,
        max_rollbacks=command.max_rollbacks,
    )
