namespace Dunlin.Inspector.Refusals;

/// <summary>Explains refusals: why, and what to change.</summary>
internal static class RefusalText
{
    public static Refusal Explain(Refusal refusal)
    {
        var (why, remedy) = refusal switch
        {
            { Kind: "origin", Code: "cors_preflight" } => (
                $"The browser asked whether a page of {refusal.Origin} may send this request. The server does not allow that origin.",
                OriginRemedy(refusal)
            ),
            { Kind: "origin" } => (
                $"A page of {refusal.Origin} sent this request. The server answered, but the browser hides the answer from the page.",
                OriginRemedy(refusal)
            ),
            { Code: "origin_refused" } => (
                "A page of another origin tried to write, or to open a stream, with the visitor's cookie.",
                "If you trust the page, add its origin to Dunlin:Origins:AllowedOrigins. Otherwise do nothing: the request was blocked."
            ),
            { Kind: "unauthorized", Credential: "token" } => OfToken(refusal.Reason),
            { Kind: "unauthorized", Credential: "cookie" } => (
                "The session cookie belongs to no open session: the user signed out, or the session expired.",
                "The user signs in again."
            ),
            { Kind: "unauthorized", Credential: "ticket" } => (
                "The ticket in the URL is unknown, expired or already used. A ticket lasts 30 seconds and opens one stream.",
                "Request a new ticket for each connection attempt, at the moment of connecting."
            ),
            { Kind: "unauthorized", Credential: "signature" } => OfSignature(refusal.Reason),
            { Kind: "unauthorized" } => (
                "The request has no credential.",
                "Send the header 'Authorization: Bearer <token>'. A native EventSource cannot send headers: use a ticket, or fetch."
            ),
            { Topic: { } topic } => (
                $"The user is signed in, but may not read '{topic}'.",
                "Grant the topic in the claim 'dunlin' of the token (subscribe), or allow it in the access policy for its prefix."
            ),
            _ => (
                "The user is signed in, but lacks the right for this request.",
                "Add the right to the claim 'dunlin' of the token, or the role that the detail names. A changed right needs a new token."
            ),
        };
        return refusal with { Why = why, Remedy = remedy };
    }

    private static (string Why, string Remedy) OfSignature(string? reason) =>
        reason switch
        {
            "expired" => (
                "The signed time of the webhook differs from the clock of this server by more than the tolerance.",
                "Compare both clocks. A request that was recorded and sent again is refused for the same reason."
            ),
            "wrong" => (
                "The signature of the webhook does not fit any secret of the hook.",
                "Compare the secrets of the sender and of Dunlin:Hooks:Sources. A proxy must not change the body."
            ),
            _ => (
                "The webhook has no signature that the scheme of the hook can read.",
                "Check Dunlin:Hooks:Sources:Scheme, and the header with the signature."
            ),
        };

    private static string OriginRemedy(Refusal refusal) =>
        refusal.Origin == "null"
            ? "The page was opened from a file or a sandboxed frame, which has no origin. Serve it over HTTP."
            : $"Add \"{refusal.Origin}\" to Dunlin:Origins:AllowedOrigins, or serve the page from this server's own origin.";

    private static (string Why, string Remedy) OfToken(string? reason) =>
        reason switch
        {
            "expired" => (
                "The token has expired.",
                "Make a new token. A client of @dunlin/client calls its option 'token' again after a 401."
            ),
            "notYetValid" => (
                "The token is not valid yet: its 'nbf' or 'iat' is in the future.",
                "Compare the clocks of the issuer and of this server. Dunlin:Tokens:ClockSkew allows a small difference."
            ),
            "unknownIssuer" => (
                "No trusted issuer has the name in the claim 'iss'.",
                "Add the issuer to Dunlin:Tokens:TrustedIssuers, or correct 'iss'. The comparison is exact, including a slash at the end."
            ),
            "wrongSignature" => (
                "The signature does not fit any key of the issuer.",
                "Check that the token is signed with the key that this server knows. After a change of keys, restart the issuer's clients."
            ),
            "wrongAudience" => ("The claim 'aud' names another service.", "Set 'aud' to the value of Dunlin:Tokens:Audience."),
            "wrongType" => (
                "The token is of another type, such as an ID token.",
                "Send an access token: its header 'typ' is 'JWT' or 'at+jwt'."
            ),
            "badClaim" => (
                "A claim is missing or malformed.",
                "The token needs 'iss', 'aud', 'exp' and 'sub'; 'dunlin' must be a JSON object."
            ),
            "sessionEnded" => ("The session that the token names has ended.", "The user signs in again."),
            "revoked" => (
                "The token was revoked: an administrator revoked what was issued to this user up to a time.",
                "Issue a new token after the revocation."
            ),
            _ => ("The credential is no token that this server can read.", "Send a signed JSON Web Token, without quotes or line breaks."),
        };
}
