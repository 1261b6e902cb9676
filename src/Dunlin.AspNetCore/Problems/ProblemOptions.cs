using System.ComponentModel.DataAnnotations;
using Microsoft.Extensions.Options;

namespace Dunlin.Problems;

/// <summary>Which responses become problem documents, and which page explains them.</summary>
public sealed class ProblemOptions
{
    /// <summary>
    /// Path prefixes where an error status without a body (such as routing's 404, 405 and 415) gets a problem document. Under other
    /// paths, such as static files, the response is unchanged. An exception of an endpoint always gets one. Default: <c>/api</c>,
    /// <c>/dunlin</c>.
    /// </summary>
    [Required]
    public IList<string> ApiPaths { get; } = ["/api", "/dunlin"];

    /// <summary>
    /// Address of the error page: an absolute URL, or a path that begins with <c>/</c>, without a fragment. <c>type</c> of a problem
    /// document is this address, <c>#</c> and the code (RFC 9457, section 3.1.1). Set an absolute URL if the documentation is on another
    /// host. Default: <c>/docs/reference/errors.html</c>.
    /// </summary>
    [Required]
    [RegularExpression(
        @"(https?:/)?/[^\s#]*",
        ErrorMessage = "ProblemOptions.{0} must be an http or https URL, or a path that begins with '/', without '#': /docs/reference/errors.html."
    )]
    public string ErrorPage { get; set; } = "/docs/reference/errors.html";
}

[OptionsValidator]
internal sealed partial class ProblemOptionsValidator : IValidateOptions<ProblemOptions>;
