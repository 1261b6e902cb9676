namespace Dunlin.Hooks;

/// <summary>How a sender signs its webhooks. All schemes use HMAC-SHA256.</summary>
public enum HookScheme
{
    /// <summary><see href="https://www.standardwebhooks.com">Standard Webhooks</see>: <c>webhook-id</c>, <c>webhook-timestamp</c> and
    /// <c>webhook-signature</c>.</summary>
    StandardWebhooks,

    /// <summary>GitHub: <c>X-Hub-Signature-256</c>, and the id in <c>X-GitHub-Delivery</c>. It signs neither a time nor the id.</summary>
    GitHub,

    /// <summary>Stripe: <c>Stripe-Signature</c>, and the id in the body.</summary>
    Stripe,

    /// <summary>The signature of the body alone in a header, as hexadecimal digits or base64, with or without <c>sha256=</c>.</summary>
    Hmac,
}
