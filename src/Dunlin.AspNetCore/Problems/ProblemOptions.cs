using System.ComponentModel.DataAnnotations;

namespace Dunlin.Problems;

/// <summary>Where problem documents stand in for empty error answers.</summary>
public sealed class ProblemOptions
{
    /// <summary>
    /// Paths below which an error status without a body (such as routing's 404, 405 and 415) gets a problem document;
    /// elsewhere, as for static files, it stays as it is. Default: <c>/api</c> and <c>/dunlin</c>. Errors thrown by
    /// endpoints are answered everywhere.
    /// </summary>
    [Required]
    public IList<string> ApiPaths { get; } = ["/api", "/dunlin"];
}
