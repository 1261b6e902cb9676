using Dunlin.Diagnostics;
using Dunlin.Fanout;
using Dunlin.Journal;
using Dunlin.Limits;
using Dunlin.Problems;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Microsoft.Net.Http.Headers;

namespace Dunlin.Hooks;

/// <summary>Serves <c>POST /dunlin/v1/hooks/{name}</c>: verifies a webhook and appends its event. Thread-safe.</summary>
/// <remarks>
/// The order matters: the size, then the signature, then the rate, then the content. A forged request costs one digest for each secret,
/// takes nothing from the rate of the sender, and learns nothing but the name of the hook.
/// </remarks>
internal sealed class HookEndpoint
{
    private readonly Dictionary<string, Hook> _hooks;
    private readonly IJournal _journal;
    private readonly EventFanout _fanout;
    private readonly UserRates _rates;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;

    public HookEndpoint(
        IJournal journal,
        EventFanout fanout,
        UserRates rates,
        TimeProvider time,
        IOptions<HookOptions> options,
        ILogger<HookEndpoint> logger
    )
    {
        (_journal, _fanout, _rates, _time, _logger) = (journal, fanout, rates, time, logger);
        _hooks = options.Value.Sources.ToDictionary(static one => one.Name, static one => new Hook(one), StringComparer.Ordinal);
    }

    public async Task ServeAsync(HttpContext context, string name)
    {
        if (!_hooks.TryGetValue(name, out var hook))
            throw new DunlinException(ErrorCode.NotFound, $"No hook with the name '{Excerpt.Of(name)}'.");
        var body = await RequestBytes.ReadAsync(context, hook.MaxBytes, context.RequestAborted);
        if (hook.Signature.FindFault(context.Request.Headers, body, _time.GetUtcNow()) is { } fault)
            throw Refuse(context, name, fault);
        _rates.Take(hook.Rate, "hook:" + name);
        await AppendAsync(context, hook, body);
        context.Response.ContentLength = 0;
    }

    // The sender learns no reason: it would tell an attacker which part to change. Operators see it in the log and in the inspector.
    private DunlinException Refuse(HttpContext context, string name, string fault)
    {
        HookLog.SignatureRefused(_logger, new PeerText(name), new PeerText(fault));
        context.Features.Set(new CredentialRefusal("signature", fault));
        context.Response.Headers[HeaderNames.WWWAuthenticate] = "Signature";
        return new DunlinException(ErrorCode.InvalidSignature);
    }

    private async Task AppendAsync(HttpContext context, Hook hook, byte[] body)
    {
        try
        {
            var (draft, key) = hook.Read(context.Request.Headers, body);
            // The token of the request is not passed on: a cancelled append may still commit, and its caller has gone.
            await _fanout.Flow.RunAsync(
                "hook:" + hook.Name,
                1,
                () => _journal.AppendAsync([draft], key, CancellationToken.None),
                context.RequestAborted
            );
        }
        catch (DunlinException error) when (error.Code == ErrorCode.IdempotencyKeyReused)
        {
            // Senders change members such as a retry count in a repeated request, and cannot mend a conflict. So the first content stays.
            HookLog.Changed(_logger, new PeerText(hook.Name));
        }
        catch (DunlinException error) when (error.Code.Class == ErrorClass.Stop)
        {
            HookLog.ContentRefused(_logger, new PeerText(hook.Name), new PeerText(error.Message));
            throw;
        }
    }
}
