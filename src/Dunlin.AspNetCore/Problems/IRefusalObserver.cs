using Dunlin.Diagnostics;
using Microsoft.AspNetCore.Http;

namespace Dunlin.Problems;

/// <summary>Receives the refusals of this node, to explain them to operators. Register it as a singleton. Must be thread-safe and fast. It
/// must not block or throw.</summary>
public interface IRefusalObserver
{
    /// <summary>Called when a request is answered with 401 or 403, before the response is written.</summary>
    /// <param name="context">The request. <see cref="CredentialRefusal"/> in its features says why a credential was refused.</param>
    /// <param name="problem">The error.</param>
    /// <param name="traceId">The trace id of the response.</param>
    void OnRefused(HttpContext context, DunlinException problem, string traceId);

    /// <summary>Called for a request of a page whose origin is not allowed. The browser hides the response from that page.</summary>
    /// <param name="context">The request. Method <c>OPTIONS</c> is a preflight.</param>
    /// <param name="origin">The value of <c>Origin</c>.</param>
    void OnOriginRefused(HttpContext context, string origin);
}

/// <summary>Why a credential was refused. A feature of the request. Immutable.</summary>
/// <param name="Credential"><c>token</c>, <c>cookie</c>, <c>ticket</c> or <c>signature</c>.</param>
/// <param name="Reason">The reason in camelCase, such as <c>expired</c>. It never contains the credential.</param>
public sealed record CredentialRefusal(string Credential, string Reason);
