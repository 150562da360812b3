"""What the simulated providers have in common; each supplies only what is its own.

How a provider is built on it, with `voicetel` as the example of an API of methods and paths:

1. `state.py`: a `State(ProviderState)` names the provider and its currency and holds what it remembers.
   `next` numbers things, `write_charge` writes into the ledger of the sandbox.
2. `wire.py`: a subclass of `Refusal` makes an `Answer` in the provider's error form; functions make the good ones.
3. `endpoint.py`: a frozen dataclass `Call` (state, caller, path) for what an operation sees, a subclass `Operation` of
   `Endpoint` for what is known of one (who may call, what it rests on), and a function that declares one:

       @operation("PUT", "numbers/{number}/fax")
       def set_fax(call: Call, *, email: Email) -> Answer:

   The signature is the schema of the request. Keyword-only parameters are members of the JSON body, or of the query
   for GET, HEAD and DELETE; parameters named `query`, `body` or `form` take that part as a whole, as a `Query` or
   `Body` model. An unknown member, a wrong type, null, or a part that no parameter takes is refused before the
   function runs. A default of None means that the member may be left out. `from_` stands for `from`. A parameter
   of a type such as `OwnNumber = Annotated[Number, Found(owned_number)]` is looked up from the call.
4. `catalog.py`: `declared_in(Operation, module, ...)` collects them. Order does not matter: the router tries literal
   segments before parameters.
5. `provider.py`: a `RestProvider` has `endpoints`, `control_routes` and these methods: `seed` makes the state, `answer`
   authenticates and runs an operation, `refusal` and `no_route` make the errors of `RequestRules`, `failure` the error
   of an injected fault, `describe` what people and tests need to know. Override `read_query`, `read_json` or
   `refuse_query` where a provider is read less strictly, `present` where things fall due, `respond` where the envelope
   is made last.
6. `controls.py`: what the outside world does, declared in the same way: `@control("POST", "/inbound", status=201)` over
   a function of the state that returns JSON, or raises `ControlError`.

Where operations on a resource are the same but for names, write the verbs once and declare a row for each use:
`enswitch` has tables, `verbs.py` says what list, get, create, update and delete mean for any of them, and
`writing("taxes/create", "commerce", need(text("name")), TAX)(create("taxes"))` is the whole of a function. `convirza`
has a class `Resource` with a subclass for each kind of thing; it looks things up before it reads the body, so its calls
carry the `RequestRules` and parse the body themselves. Enswitch has a grammar of parameters of its own, so it is a
`SimulatedProvider` that answers in `respond`.

The frame knows no provider, and like the whole sandbox nothing of the client: it is written from the documents alone.
"""
