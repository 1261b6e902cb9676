using System.ComponentModel.DataAnnotations;

namespace AiChat.Answers;

/// <summary>The model that answers: the section <c>Model</c> of the configuration.</summary>
public sealed class ModelOptions
{
    /// <summary>The address of a server with the OpenAI chat completions API. Empty: the program starts a fake model.</summary>
    public string Address { get; set; } = "";

    /// <summary>The name of the model.</summary>
    [Required]
    public string Name { get; set; } = "fake";

    /// <summary>The key of the API; empty for none.</summary>
    public string Key { get; set; } = "";

    /// <summary>The longest answer, in tokens.</summary>
    [Range(1, 100_000)]
    public int MaxTokens { get; set; } = 4096;

    /// <summary>How long the model may send nothing before the answer fails.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "00:10:00")]
    public TimeSpan MaxSilence { get; set; } = TimeSpan.FromMinutes(1);
}
