"""Images of the chat screen: connects the image store with the timeline, the settings and the terminal."""

from textual.dom import DOMNode

from tui_chat.session.image_files import ImageFiles
from tui_chat.session.settings.schema import ClientSettings
from tui_chat.ui import theme as themes
from tui_chat.ui.app_services import app_of, app_services
from tui_chat.ui.images.image_store import ImageOptions, ImageStore
from tui_chat.ui.terminal.graphics import DEFAULT_CELL_SIZE, choose_protocol
from tui_chat.ui.timeline.widget import Timeline


class ChatImages:
    """Image store of one chat screen."""

    def __init__(self, files: ImageFiles, node: DOMNode) -> None:
        self._node = node
        self.store = ImageStore(lambda image: files.read(image.path), lambda: app_services(node).terminal)
        files.on_deleted = self.store.forget

    def start(self, timeline: Timeline) -> None:
        """Draw images in a mounted timeline, and follow the changes of settings, theme and terminal."""

        def apply_settings(settings: ClientSettings) -> None:
            # The background of a new theme is known after the refresh.
            timeline.call_after_refresh(self._apply_settings, settings, timeline)

        self.store.on_loaded = lambda paths: timeline.call_later(timeline.update_images, paths)
        self.store.on_changed = lambda: timeline.call_later(timeline.update_images)
        app_services(self._node).terminal.set_graphics_release(self.store.release)
        app_services(self._node).settings_changed.subscribe(timeline, apply_settings)
        self._apply_settings(app_services(self._node).settings, timeline)

    def _apply_settings(self, settings: ClientSettings, timeline: Timeline) -> None:
        """Configure the store for the settings, the theme and the terminal, and draw the images."""
        app, terminal = app_of(self._node), app_services(self._node).terminal
        protocol = choose_protocol(
            settings.images,
            terminal.graphics,
            terminal.multiplexer,
            has_colors=not app.no_color,
            has_few_colors=themes.has_few_colors(app),
        )
        background = timeline.background_colors[1].rgb
        cell_size = terminal.graphics.cell_size or DEFAULT_CELL_SIZE
        self.store.configure(ImageOptions(protocol, cell_size, background, terminal.multiplexer))
        timeline.update_images()

    async def close(self) -> None:
        """Discard the pictures, remove the images from the terminal, and end the child process of the decoder."""
        app_services(self._node).terminal.set_graphics_release(lambda: "")
        await self.store.close()
