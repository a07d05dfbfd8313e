"""Whether a page's script is at rest, by what the page and its server say to each other."""

from playwright.sync_api import Page, WebSocket
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg


class ScriptRuns:
    """Runs of a page's script: asked for by the page, begun and ended by the server.

    What a page shows cannot tell a script that has not begun from one that has ended, and its sign
    of a run comes half a second late.
    """

    def __init__(self, page: Page) -> None:
        self._asked, self._running = True, False
        page.on("websocket", self._listen)

    @property
    def at_rest(self) -> bool:
        """True once the run that was asked for last has ended."""
        return not (self._asked or self._running)

    def _listen(self, socket: WebSocket) -> None:
        self._asked, self._running = True, False
        socket.on("framesent", self._hear_page)
        socket.on("framereceived", self._hear_server)

    def _hear_page(self, frame: bytes | str) -> None:
        if isinstance(frame, bytes) and BackMsg.FromString(frame).HasField("rerun_script"):
            self._asked = True

    def _hear_server(self, frame: bytes | str) -> None:
        if not isinstance(frame, bytes):
            return
        message = ForwardMsg.FromString(frame)
        if message.HasField("new_session"):
            self._asked, self._running = False, True
        elif message.HasField("script_finished"):
            self._running = message.script_finished == ForwardMsg.FINISHED_EARLY_FOR_RERUN
