"""The app: what a program that uses Redbooth has to do. Runs without Jupyter. This page is the map.

To read in half an hour, in this order: `save_credentials` and `Settings.load` in register; `AuthorizationRequest.new`
and `PendingAuthorization` in authorize; `AuthorizationResponse.read` and `_check_state` in response; exchange;
`token_session` in token_endpoint; `refresh` and `RedboothSession.request` in refresh; store. To look up, then: the rest
of these, token, wire, errors, private_file. The four calls, with the user's click between the second and the third:

    save_credentials(client_id, client_secret)          # 1 register, once
    request = AuthorizationRequest.new()                # 2 authorize: send the browser to request.link ...
    AuthorizationResponse.read(callback_url, request)   #   ... and read the whole address it ends at
    exchange()                                          # 3 exchange
    RedboothSession().get("/me")                        # 4 refresh, whenever needed

To make the requests yourself with `OAuth2Session`: `adopt` takes the address that it made,
`AuthorizationResponse.use` gives it the callback URL to exchange, once. To keep the dict that `fetch_token` returns:

    store = TokenStore(settings.folder)
    with store.lock():
        store.save(Token.from_answer(answer, time.time()))

To copy: everything but callback.py, loopback.py and callback.html, which listen for the browser. A web app receives
the callback URL itself. The sentences of every error are in meanings.toml: `failure(kind, step, code)` makes one.
From outside this folder it needs:
* errors: `RedboothError` holds what, why, remedy, reference and stage; `NotYet` is one. `only_kit_errors` lets a
  function raise only these, without the frames, which hold secrets. `printable` makes text safe to show; `wordings`
  reads TOML.
* secret: `Secret` shows a fingerprint, `reveal()` gives the value, and two are equal if their values are. `refresh`
  and `RedboothSession` rely on that. `same_text` compares strings in constant time.
* configuration: `Configuration` reads settings from the environment or `.env` (`read_env_file`) and names the folder
  for state; `make_private` makes a folder with mode 0700. Only callback.py needs `port_holder`, `leave_port_note`.
* provider.addresses: the guide's addresses. provider.delivery: `current_provider` is who answers, redbooth.com or a
  stand-in on this machine. `deliver(session)` makes a session reach it, `link(url)` is the address for a browser
  there, `now()` its clock. `LOOPBACK_HOSTS` are the names of this machine.
* traffic.redaction: `hide_in_text` hides known secrets in a text. traffic.transcript: `transcript` notes each answer.
* changes: `announce()` tells the widgets that a file has changed.
To do without the kit, delete each `announce()`, `deliver` and `transcript` in `connect` (wire), and `_swapped`
(register), which only asks the sandbox; use `time.time()` for `now()`.

On disk, mode 0600, in one folder for each provider and client id. A .lock file is only a lock. A .part file is what a
crash left, and the next write replaces it, unless it is a whole new token, which `TokenStore.lock` puts in place. A
.damaged file could not be read and was kept; it may hold live tokens, and nothing deletes it.
* authorization.json
  `AuthorizationRequest.new`, `adopt`: response_type, redirect_uri, scope, state, nonce, code_verifier, answered =
    false, stale_states (of earlier requests), sent_codes (hashes). An answer that was not exchanged is deleted.
  `AuthorizationResponse.read`: answered = true, answered_at, callback_url.
  `exchange`, before it sends: code_sent = true, a new entry in sent_codes, and callback_url is deleted.
* token.json
  `exchange`, `refresh`: access_token, refresh_token, token_type, expires_in, scope, obtained_at.
  `refresh`, before it sends: the same with refreshing = true, the mark; it goes when the answer is saved.
  `revoke` deletes the file.

Where each promise is kept, and tested (in tests/client unless it says otherwise):
* state is random, compared in constant time, used once: authorize.py, `_check_state` in response.py; test_response.py
* a code is sent once: `mark_code_sent` in authorize.py; test_exchange.py
* a token request is neither repeated nor redirected: token_endpoint.py; test_exchange.py. TLS is checked: test_tls.py
* the body of an answer is bounded: `read_within` in wire.py; test_exchange.py. The time until the headers end is not
  bounded, only each silence (30 s).
* one refresh at a time, saved before it is used: `refresh` in refresh.py, `locked` in private_file.py; test_refresh.py
* a crash costs no token that reached the disk: `_recover` in store.py; test_store.py, tests/reliability/crashes.py
* files are private and whole: private_file.py; test_store.py, tests/reliability/test_disk.py
* no secret is shown: `Secret`, `only_kit_errors`; tests/test_secrecy.py
"""
