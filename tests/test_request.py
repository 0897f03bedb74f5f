"""Requests to Telegram by the real library, over real sockets: what is asked, what an ending means, what is kept secret."""

import asyncio
import io
import logging
import socket
import ssl
import traceback
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from telegram import Bot, ForceReply, InlineKeyboardButton, InlineKeyboardMarkup
from telegram.error import (
    BadRequest,
    ChatMigrated,
    Conflict,
    Forbidden,
    InvalidToken,
    NetworkError,
    RetryAfter,
    TelegramError,
)
from telegram.request import BaseRequest

from bots.telegram.request import LONGEST_WAIT, UNKNOWN_WAIT, AiohttpRequest, MaybeSent, NotSent, retry_seconds
from scripted_server import (
    Answer,
    ScriptedServer,
    after,
    answers,
    cuts_off,
    drips,
    hang_up,
    in_parts,
    pours,
    refuses,
    reset,
    says,
    silence,
)

TOKEN = "1234567890:AAFsYnthetic-Token_of-a-bot-0123456789"
SENT = {"message_id": 7, "date": 0, "chat": {"id": 5, "type": "private"}, "text": "How is your hip?"}


def bot(server: ScriptedServer, request: BaseRequest) -> Bot:
    return Bot(TOKEN, base_url=f"{server.url}/bot", request=request, get_updates_request=request)


async def failure(request: BaseRequest, url: str) -> TelegramError:
    """Return how a request ends that does not end well."""
    with pytest.raises(TelegramError) as caught:
        await request.post(f"{url}/bot{TOKEN}/sendMessage")
    return caught.value


async def ending(answer: Answer, **limits: float | None) -> TelegramError:
    """Return how a request ends that is answered like this."""
    async with ScriptedServer(answer) as server, AiohttpRequest(**limits) as request:  # type: ignore[arg-type]
        return await failure(request, server.url)


# ---------------------------------------------------------------- What is asked


async def test_a_message_is_asked_for_as_json_and_comes_back_as_the_library_knows_it() -> None:
    keyboard = InlineKeyboardMarkup([[InlineKeyboardButton("Yes", callback_data="y")]])
    async with ScriptedServer(says(SENT)) as server, AiohttpRequest() as request:
        message = await bot(server, request).send_message(5, "Größe “M”", reply_markup=keyboard, protect_content=True)

    assert (message.message_id, message.text) == (7, "How is your hip?")
    assert server.asked[0].line == f"POST /bot{TOKEN}/sendMessage HTTP/1.1"
    assert server.asked[0].headers["content-type"] == "application/json"
    assert server.asked[0].headers["accept-encoding"] == "identity"
    assert server.asked[0].json() == {
        "chat_id": 5,
        "text": "Größe “M”",
        "protect_content": True,
        "reply_markup": keyboard.to_dict(),
    }


@pytest.mark.parametrize("content", [b"BEGIN:VCALENDAR\r\n", io.BytesIO(b"BEGIN:VCALENDAR\r\n")])
async def test_a_file_is_uploaded_with_its_name_its_kind_and_what_goes_with_it(content: bytes | io.BytesIO) -> None:
    got: dict[str, object] = {}

    async def upload(asked: web.Request) -> web.Response:
        for name, field in (await asked.post()).items():
            got[name] = (field.filename, field.content_type, field.file.read()) if isinstance(field, web.FileField) else field
        return web.json_response({"ok": True, "result": SENT})

    app = web.Application()
    app.router.add_post("/{path:.*}", upload)
    async with TestServer(app) as server, AiohttpRequest() as request:
        to = Bot(TOKEN, base_url=str(server.make_url("/bot")), request=request, get_updates_request=request)
        await to.send_document(5, content, filename="run “Ä”.ics", caption="Runs", reply_markup=ForceReply())

    assert got == {
        "chat_id": "5",
        "caption": "Runs",
        "reply_markup": '{"force_reply": true}',
        "document": ("run “Ä”.ics", "text/calendar", b"BEGIN:VCALENDAR\r\n"),
    }


async def test_one_connection_serves_request_after_request() -> None:
    async with ScriptedServer(says(True)) as server, AiohttpRequest() as request:
        for _ in range(3):
            assert await request.post(f"{server.url}/x") is True

    assert [asked.connection for asked in server.asked] == [1, 1, 1]


async def test_no_more_connections_are_opened_than_are_allowed() -> None:
    async with ScriptedServer(after(0.02, says(True))) as server, AiohttpRequest(connections=3) as request:
        await asyncio.gather(*(request.post(f"{server.url}/x") for _ in range(12)))

    assert server.most_open == 3


async def test_a_file_is_fetched_as_it_is() -> None:
    async with ScriptedServer(answers(200, b"\x00\x01\xff")) as server, AiohttpRequest() as request:
        assert await request.retrieve(f"{server.url}/file/bot{TOKEN}/a.ics") == b"\x00\x01\xff"


async def test_a_redirect_is_not_followed() -> None:
    async with ScriptedServer(says(True)) as elsewhere:
        failed = await ending(answers(307, b"", Location=f"{elsewhere.url}/x"))

    assert (type(failed), str(failed)) == (MaybeSent, "http_307")
    assert elsewhere.asked == []


# ---------------------------------------------------------------- What an ending means


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (refuses(400, "Bad Request: message is not modified"), BadRequest("Message is not modified")),
        (refuses(400, "Bad Request: group upgraded", migrate_to_chat_id=-1001234567890), ChatMigrated(-1001234567890)),
        (refuses(400, "Bad Request: group upgraded", migrate_to_chat_id="soon"), BadRequest("Group upgraded")),
        (refuses(401, "Unauthorized"), InvalidToken("Unauthorized")),
        (refuses(403, "Forbidden: bot was blocked by the user"), Forbidden("Forbidden: bot was blocked by the user")),
        (refuses(404, "Not Found"), InvalidToken("Not Found")),
        (
            refuses(409, "Conflict: terminated"),
            Conflict("Conflict: terminated"),
        ),
        (refuses(413, "Request Entity Too Large"), NetworkError("Request Entity Too Large")),
        (answers(400, b"<html>"), BadRequest("Bad Request (400)")),
        (answers(403, b""), Forbidden("Forbidden (403)")),
        (answers(401, []), InvalidToken("Unauthorized (401)")),
        (answers(409, {"description": 7, "parameters": [1]}), Conflict("Conflict (409)")),
        (answers(403, b'{"description": "half a \xff'), Forbidden("Forbidden (403)")),
        (answers(400, b"[" * 100_000), BadRequest("Bad Request (400)")),
    ],
)
async def test_what_telegram_refuses_is_the_librarys_own_error(answer: Answer, expected: TelegramError) -> None:
    refused = await ending(answer)

    assert (type(refused), str(refused)) == (type(expected), str(expected))


@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        (1, 1),
        (35, 35),
        (3600, 3600),
        (0.5, 1),
        (0, 1),
        (-3, UNKNOWN_WAIT),
        (True, UNKNOWN_WAIT),
        ("7", UNKNOWN_WAIT),
        (None, UNKNOWN_WAIT),
        ([], UNKNOWN_WAIT),
        (1e300, LONGEST_WAIT),
        (float("inf"), UNKNOWN_WAIT),
        (float("nan"), UNKNOWN_WAIT),
    ],
)
async def test_a_429_says_how_long_to_wait_whatever_came(said: object, seconds: float) -> None:
    refused = await ending(refuses(429, "Too Many Requests: retry later", retry_after=said))

    assert isinstance(refused, RetryAfter)
    assert retry_seconds(refused) == seconds


@pytest.mark.parametrize(
    "answer", [answers(429, b"<html>"), answers(429, {}), answers(429, {"parameters": 5}), answers(429, b"")]
)
async def test_a_429_without_a_word_waits_too(answer: Answer) -> None:
    refused = await ending(answer)

    assert isinstance(refused, RetryAfter)
    assert retry_seconds(refused) == UNKNOWN_WAIT


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (answers(500, {"ok": False, "error_code": 500, "description": "Internal Server Error"}), "http_500"),
        (answers(502, b"<html>Bad Gateway</html>"), "http_502"),
        (answers(504, b""), "http_504"),
        (answers(200, b"<html>Welcome to this hotel</html>"), "unreadable"),
        (answers(200, []), "unreadable"),
        (answers(200, {"ok": True}), "unreadable"),
        (answers(200, {"ok": False, "description": "?"}), "unreadable"),
        (answers(200, b""), "unreadable"),
        (cuts_off(b'{"ok": true, "res'), "ClientPayloadError"),
        (hang_up, "ServerDisconnectedError"),
        (reset, "ClientOSError"),
        (silence, "TimeoutError"),
        (drips, "TimeoutError"),
        (pours, "TooLarge"),
        (answers(200, b" " * 2000), "TooLarge"),
    ],
)
async def test_without_an_answer_a_message_may_have_been_sent(answer: Answer, kind: str) -> None:
    failed = await ending(answer, read_timeout=0.2, write_timeout=0.2, connect_timeout=0.2, max_bytes=1000)

    assert (type(failed), str(failed)) == (MaybeSent, kind)


async def test_without_a_connection_nothing_was_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", knows_no_name)
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        async with AiohttpRequest() as request:
            refused = await failure(request, f"http://127.0.0.1:{closed.getsockname()[1]}")
            unknown = await failure(request, "http://hipwise.invalid")
            no_address = await failure(request, "http://")
            no_http = await failure(request, "ftp://127.0.0.1")

    assert (type(refused), str(refused)) == (NotSent, "ClientConnectorError")
    assert (type(unknown), str(unknown)) == (NotSent, "ClientConnectorDNSError")
    assert (type(no_address), str(no_address)) == (NotSent, "InvalidUrlClientError")
    assert (type(no_http), str(no_http)) == (NotSent, "NonHttpUrlClientError")


async def test_to_a_server_that_nobody_vouches_for_nothing_is_sent(tmp_path: Path) -> None:
    async with ScriptedServer(says(True), tls=unknown_certificate(tmp_path)) as server, AiohttpRequest() as request:
        failed = await failure(request, server.url)

    assert (type(failed), str(failed)) == (NotSent, "ClientConnectorCertificateError")
    assert server.asked == []


async def test_while_no_connection_comes_about_nothing_was_sent() -> None:
    # One place in the queue, taken: whoever knocks next is not heard.
    with socket.socket() as deaf, socket.socket() as first:
        deaf.bind(("127.0.0.1", 0))
        deaf.listen(0)
        first.connect(deaf.getsockname())
        async with AiohttpRequest(connect_timeout=0.1) as request:
            failed = await failure(request, f"http://127.0.0.1:{deaf.getsockname()[1]}")

    assert (type(failed), str(failed)) == (NotSent, "ConnectionTimeoutError")


async def test_while_no_connection_is_free_nothing_was_sent() -> None:
    async with ScriptedServer(silence) as server, AiohttpRequest(connections=1, pool_timeout=0.05) as request:
        first = asyncio.create_task(request.post(f"{server.url}/first"))
        await asyncio.sleep(0.05)
        failed = await failure(request, server.url)
        first.cancel()
        await asyncio.gather(first, return_exceptions=True)

    assert (type(failed), str(failed)) == (NotSent, "PoolTimeout")
    assert [asked.line for asked in server.asked] == ["POST /first HTTP/1.1"]


# ---------------------------------------------------------------- Timeouts


async def test_a_call_brings_its_own_timeouts() -> None:
    async with ScriptedServer(after(0.4, says(True))) as server, AiohttpRequest(read_timeout=0.05) as request:
        with pytest.raises(MaybeSent):
            await request.post(f"{server.url}/x")
        assert await request.post(f"{server.url}/x", read_timeout=1) is True
        assert await request.post(f"{server.url}/x", read_timeout=None) is True


async def test_a_call_waits_for_a_connection_as_long_as_it_says() -> None:
    async with ScriptedServer(after(0.15, says(True))) as server, AiohttpRequest(connections=1, pool_timeout=0.01) as request:
        slow, patient, patient_for_ever, hasty = await asyncio.gather(
            request.post(f"{server.url}/x"),
            request.post(f"{server.url}/x", pool_timeout=1),
            request.post(f"{server.url}/x", pool_timeout=None),
            request.post(f"{server.url}/x"),
            return_exceptions=True,
        )

    assert (slow, patient, patient_for_ever) == (True, True, True)
    assert isinstance(hasty, NotSent)


def hasty(upload_timeout: float = 0.1) -> AiohttpRequest:
    return AiohttpRequest(connect_timeout=0.1, write_timeout=0.1, read_timeout=0.1, upload_timeout=upload_timeout)


@asynccontextmanager
async def slow_reader(seconds: float) -> AsyncIterator[str]:
    """Serve, at this address, like someone who begins to read after so many seconds."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(seconds)
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            head = await reader.readuntil(b"\r\n\r\n")
            await reader.readexactly(int(head.lower().partition(b"content-length: ")[2].split()[0]))
            await says(SENT)(writer)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, limit=1024)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/bot"
    finally:
        server.close()
        await server.wait_closed()


async def test_an_upload_takes_the_time_it_needs_but_not_for_ever() -> None:
    async with slow_reader(0.4) as root, hasty(upload_timeout=3) as request:
        to = Bot(TOKEN, base_url=root, request=request, get_updates_request=request)

        with pytest.raises(MaybeSent, match="TimeoutError"):
            await to.send_document(5, bytes(20_000_000), write_timeout=0.1)
        assert (await to.send_document(5, bytes(20_000_000))).message_id == 7


async def test_a_download_may_take_as_long_as_it_keeps_coming() -> None:
    async with ScriptedServer(in_parts(b"a file of some length", 0.03)) as server, hasty() as request:
        assert await request.retrieve(f"{server.url}/file") == b"a file of some length"


@pytest.mark.parametrize("length", [0, 5, 6, 7, 300_000])
async def test_of_a_long_file_the_beginning_is_fetched(length: int) -> None:
    body = bytes(range(256)) * 2_000
    async with ScriptedServer(answers(200, body[:length])) as server, AiohttpRequest() as request:
        assert await request.first_of(f"{server.url}/file/bot{TOKEN}/a.ics", 6) == body[: min(length, 6)]
        assert await request.first_of(f"{server.url}/file/bot{TOKEN}/a.ics", 400_000) == body[:length]

    assert server.asked[0].line == f"GET /file/bot{TOKEN}/a.ics HTTP/1.1"


async def test_of_a_file_without_an_end_the_beginning_is_fetched() -> None:
    async with ScriptedServer(pours) as server, AiohttpRequest() as request:
        assert await request.first_of(server.url, 1_000_000) == b" " * 1_000_000


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (answers(404, {"ok": False, "error_code": 404, "description": "Not Found"}), "http_404"),
        (answers(401, b""), "http_401"),
        (answers(500, b""), "http_500"),
        (answers(302, b"", Location="http://127.0.0.1:1/"), "http_302"),
        (answers(206, b"BEGIN"), "http_206"),
        (cuts_off(b"BEGIN"), "ClientPayloadError"),
        (hang_up, "ServerDisconnectedError"),
        (silence, "SocketTimeoutError"),
    ],
)
async def test_a_file_that_does_not_arrive_says_so_and_nothing_of_where_it_was(answer: Answer, kind: str) -> None:
    async with ScriptedServer(answer) as server, AiohttpRequest(read_timeout=0.2) as request:
        with pytest.raises(MaybeSent) as caught:
            await request.first_of(f"{server.url}/file/bot{TOKEN}/a.ics", 100)

    assert str(caught.value) == kind
    assert TOKEN not in "".join(traceback.format_exception(caught.value))


@pytest.mark.parametrize("address", ["", "/etc/passwd", "http://", "ftp://127.0.0.1"])
async def test_what_is_no_address_is_not_asked(address: str) -> None:
    async with AiohttpRequest() as request:
        with pytest.raises(NotSent):
            await request.first_of(address, 100)
    with pytest.raises(NotSent, match="ShutDown"):
        await request.first_of("http://127.0.0.1:1/", 100)


async def test_the_library_is_told_the_read_timeout_for_its_long_polls() -> None:
    assert AiohttpRequest(read_timeout=3.5).read_timeout == 3.5
    assert AiohttpRequest(read_timeout=None).read_timeout is None


# ---------------------------------------------------------------- Beginning and end


async def test_it_begins_and_ends_as_often_as_it_is_told() -> None:
    request = AiohttpRequest()
    async with ScriptedServer(says(True)) as server:
        for _ in range(2):
            await asyncio.gather(request.initialize(), request.initialize())
            assert await request.post(f"{server.url}/x") is True
            await asyncio.gather(request.shutdown(), request.shutdown())

    assert server.connections == 2


def test_it_serves_one_event_loop_after_another() -> None:
    request = AiohttpRequest(connections=1)

    async def ask() -> None:
        async with ScriptedServer(after(0.01, says(True))) as server, request:
            await asyncio.gather(*(request.post(f"{server.url}/x") for _ in range(3)))

    asyncio.run(ask())
    asyncio.run(ask())


async def test_before_the_beginning_and_after_the_end_nothing_is_sent() -> None:
    request = AiohttpRequest()
    async with ScriptedServer(says(True)) as server:
        before = await failure(request, server.url)
        async with request:
            pass
        ended = await failure(request, server.url)

    assert (type(before), type(ended)) == (NotSent, NotSent)
    assert server.asked == []


async def test_at_the_end_whoever_still_waits_is_told_what_is_known() -> None:
    async with ScriptedServer(silence) as server:
        request = AiohttpRequest(connections=1)
        await request.initialize()
        asked = [asyncio.create_task(request.post(f"{server.url}/x")) for _ in range(2)]
        await asyncio.sleep(0.05)
        await request.shutdown()
        under_way, waiting = await asyncio.gather(*asked, return_exceptions=True)

    assert (type(under_way), type(waiting)) == (MaybeSent, NotSent)


async def test_whoever_is_cancelled_leaves_the_connection_to_the_next() -> None:
    async with ScriptedServer(silence, says(True)) as server, AiohttpRequest(connections=1) as request:
        cancelled = asyncio.create_task(request.post(f"{server.url}/x"))
        await asyncio.sleep(0.05)
        cancelled.cancel()
        await asyncio.gather(cancelled, return_exceptions=True)

        assert await request.post(f"{server.url}/x") is True


# ---------------------------------------------------------------- Through a proxy


async def test_a_proxy_is_asked_to_pass_it_on() -> None:
    async with ScriptedServer(says(True)) as proxy, AiohttpRequest(proxy=f"http://club:pass@127.0.0.1:{proxy.port}") as request:
        assert await request.post("http://telegram.invalid/x") is True

    assert proxy.asked[0].line == "POST http://telegram.invalid/x HTTP/1.1"
    assert proxy.asked[0].headers["proxy-authorization"] == "Basic Y2x1YjpwYXNz"


async def test_through_a_proxy_that_opens_no_way_nothing_is_sent() -> None:
    async with ScriptedServer(answers(403, b"")) as proxy, AiohttpRequest(proxy=proxy.url) as request:
        failed = await failure(request, "https://telegram.invalid")

    assert (type(failed), str(failed)) == (NotSent, "ClientHttpProxyError")
    assert proxy.asked[0].line == "CONNECT telegram.invalid:443 HTTP/1.1"


@pytest.mark.parametrize("address", ["127.0.0.1:3128", "socks5://club:pass@127.0.0.1", "http://"])
def test_what_is_no_proxy_is_said_at_once_and_not_repeated(address: str) -> None:
    with pytest.raises(ValueError, match="the proxy must be") as caught:
        AiohttpRequest(proxy=address)

    assert "pass" not in str(caught.value)


# ---------------------------------------------------------------- What it keeps to itself

ENDINGS = [
    refuses(400, "Bad Request: chat not found"),
    refuses(401, "Unauthorized"),
    refuses(429, "Too Many Requests", retry_after=3),
    answers(404, b"<html>"),
    answers(307, b"", Location="/"),
    answers(502, TOKEN.encode()),
    answers(200, TOKEN.encode()),
    cuts_off(TOKEN.encode()),
    hang_up,
    reset,
    silence,
    pours,
]


@pytest.mark.parametrize("answer", ENDINGS)
async def test_no_error_and_no_log_has_the_token(answer: Answer, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    failed = await ending(answer, read_timeout=0.1, max_bytes=100_000)

    assert TOKEN not in everything_of(failed) + caplog.text


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:1", "http://hipwise.invalid", "http://", "ftp://x", "http://[", "http://a b"]
)
async def test_no_error_of_an_address_has_the_token(
    url: str, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", knows_no_name)
    caplog.set_level(logging.DEBUG)
    async with AiohttpRequest() as request:
        failed = await failure(request, url)

    assert isinstance(failed, NotSent)
    assert TOKEN not in everything_of(failed) + repr(request) + caplog.text


def everything_of(error: BaseException) -> str:
    """Return all that an error and those behind it say, shown or not."""
    behind = [each for each in (error.__cause__, error.__context__) if each is not None]
    said = f"{error} {error!r} {error.args} {vars(error)} {''.join(traceback.format_exception(error))}"
    return said + "".join(everything_of(each) for each in behind)


def knows_no_name(*_asked: object, **_how: object) -> None:
    """Stand in for a name server, so that no test asks one."""
    raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")


def unknown_certificate(folder: Path) -> ssl.SSLContext:
    """Return a server's side of TLS with a certificate of its own making."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    file = folder / "server.pem"
    private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM) + private)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    return context
