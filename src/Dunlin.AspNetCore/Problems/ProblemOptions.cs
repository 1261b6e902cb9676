using System.ComponentModel.DataAnnotations;

namespace Dunlin.Problems;

/// <summary>Holds the options of <c>UseDunlinProblems()</c>.</summary>
public sealed class ProblemOptions
{
    /// <summary>Gets the paths below which an error status without a body (such as 404, 405 and 415 of routing) gets a problem document.
    /// Default: <c>/api</c> and <c>/dunlin</c>.</summary>
    /// <remarks>Responses outside these paths, such as those of static files, stay unchanged. Exceptions of endpoints get a problem
    /// document on every path.</remarks>
    [Required]
    public IList<string> ApiPaths { get; } = ["/api", "/dunlin"];
}
