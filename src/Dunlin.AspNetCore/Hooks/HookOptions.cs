using System.ComponentModel.DataAnnotations;
using Dunlin.Journal;
using Dunlin.Scheduling;
using Microsoft.Extensions.Options;

namespace Dunlin.Hooks;

/// <summary>Holds the webhooks that this server receives.</summary>
public sealed class HookOptions
{
    /// <summary>The hooks, each with an address of its own. Default: none.</summary>
    [ValidateEnumeratedItems]
    public IList<HookSource> Sources { get; } = [];
}

/// <summary>Holds one hook: a sender, and the event that its requests become.</summary>
public sealed class HookSource
{
    /// <summary>
    /// The last segment of the address: <c>/dunlin/v1/hooks/{name}</c>. 1 to 64 letters, digits, and <c>._-</c>. Required.
    /// </summary>
    [Required]
    [RegularExpression("[A-Za-z0-9._-]{1,64}", ErrorMessage = "Sources[].Name must have 1 to 64 letters, digits, and '._-'.")]
    public string Name { get; set; } = "";

    /// <summary>How the sender signs its requests. Default: <see cref="HookScheme.StandardWebhooks"/>.</summary>
    public HookScheme Scheme { get; set; } = HookScheme.StandardWebhooks;

    /// <summary>
    /// The secrets, each of at least 16 bytes. A request needs the signature of one of them, so that a secret can be replaced without a
    /// gap. Standard Webhooks: base64, with or without <c>whsec_</c>; others: the text as the sender shows it. Default: none.
    /// </summary>
    public IList<string> Secrets { get; } = [];

    /// <summary>
    /// Files with one secret each, read at the start. Relative to the working directory. White space at the end is ignored. Default: none.
    /// </summary>
    public IList<string> SecretFiles { get; } = [];

    /// <summary>
    /// The topic of the events. <c>{hook}</c> is the name, <c>{event}</c> the sender's type, and <c>{body.a.b}</c> a member of the JSON
    /// body. Default: <c>hooks/{hook}</c>.
    /// </summary>
    [Required]
    public string Topic { get; set; } = "hooks/{hook}";

    /// <summary>The type of the events, with the same placeholders. Default: <c>hook.received</c>.</summary>
    [Required]
    public string Type { get; set; } = "hook.received";

    /// <summary>What the body is, which becomes the data of the event. Default: <see cref="EventFormat.Json"/>.</summary>
    public EventFormat Format { get; set; } = EventFormat.Json;

    /// <summary>
    /// Largest difference between the signed time and the clock of this server. Older and newer requests get 401. GitHub and Hmac sign no
    /// time. Default: 5 minutes. Range: 1 second to 1 day.
    /// </summary>
    [TimeSpanRange("00:00:01", "1.00:00:00")]
    public TimeSpan Tolerance { get; set; } = TimeSpan.FromMinutes(5);

    /// <summary>Largest body, in bytes. A larger body gets 413. Default: 256 KiB. Range: 1 byte to 1 MiB.</summary>
    [Range(1, JournalLimits.MaxDataBytes)]
    public int MaxBytes { get; set; } = 256 * 1024;

    /// <summary>
    /// Signed requests per second, on average, on this node. More gets 429. Zero: no limit. Default: 200. Range: 0 to 1,000,000.
    /// </summary>
    [Range(0, 1_000_000)]
    public int PerSecond { get; set; } = 200;

    /// <summary>Signed requests at once after a pause. More gets 429. Default: 1,000. Range: 1 to 1,000,000.</summary>
    [Range(1, 1_000_000)]
    public int Burst { get; set; } = 1_000;

    /// <summary>The header with the signature, for <see cref="HookScheme.Hmac"/>. Default: <c>X-Signature</c>.</summary>
    [Required]
    public string SignatureHeader { get; set; } = "X-Signature";

    /// <summary>
    /// The header with the id of a request, for <see cref="HookScheme.Hmac"/>. Null: each request becomes an event, also a repeated one.
    /// Default: null.
    /// </summary>
    public string? IdHeader { get; set; }

    /// <summary>The header with the sender's event type, for <see cref="HookScheme.Hmac"/>. Null: the member <c>type</c> of the body.
    /// Default: null.</summary>
    public string? EventHeader { get; set; }
}

[OptionsValidator]
internal sealed partial class HookAnnotationsValidator : IValidateOptions<HookOptions>;

/// <summary>Checks what attributes cannot: names, secrets and templates.</summary>
internal sealed class HookOptionsValidator : IValidateOptions<HookOptions>
{
    public ValidateOptionsResult Validate(string? name, HookOptions options)
    {
        var faults = new List<string>();
        for (var i = 0; i < options.Sources.Count; i++)
        {
            var source = options.Sources[i];
            var option = $"HookOptions.Sources[{i}]";
            if (options.Sources.Take(i).Any(other => other.Name == source.Name))
                faults.Add($"{option}.Name: '{source.Name}' is the name of another hook. Choose a different one.");
            if (!Enum.IsDefined(source.Scheme))
                faults.Add($"{option}.Scheme: '{source.Scheme}' is no scheme. Use {string.Join(", ", Enum.GetNames<HookScheme>())}.");
            if (!Enum.IsDefined(source.Format))
                faults.Add($"{option}.Format: '{source.Format}' is no format. Use {string.Join(", ", Enum.GetNames<EventFormat>())}.");
            if (source is { Scheme: HookScheme.Stripe, Format: not EventFormat.Json })
                faults.Add($"{option}.Format: webhooks of Stripe have their id in a JSON body. Use Json.");
            HookKeys.Read(source, option, faults);
            if (Hook.TemplateFault(source) is { } fault)
                faults.Add($"{option}.{fault}");
        }
        return faults.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(faults);
    }
}
