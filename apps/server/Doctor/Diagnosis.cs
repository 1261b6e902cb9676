namespace Dunlin.Server.Doctor;

/// <summary>Runs all checks against a server, from the outside.</summary>
internal static class Diagnosis
{
    /// <summary>Runs the checks in order and reports each finding as soon as it is known.</summary>
    /// <param name="examination">The server.</param>
    /// <param name="options">What to check.</param>
    /// <param name="report">Receives the findings.</param>
    /// <param name="cancellationToken">Cancels the checks.</param>
    /// <returns>Whether the server was reachable.</returns>
    public static async Task<bool> RunAsync(
        Examination examination,
        DiagnosisOptions options,
        Action<Finding> report,
        CancellationToken cancellationToken
    )
    {
        if (!await ServerChecks.RunAsync(examination, report, cancellationToken))
            return false;
        if (examination.CertificateFaults != System.Net.Security.SslPolicyErrors.None)
        {
            report(
                Finding.Warn("token", "The token was not sent, because the certificate is not trusted.", "Correct the certificate first.")
            );
            return true;
        }
        await LimitChecks.RunAsync(examination, options.DataFolder, report, cancellationToken);
        if (options.Origin is { } origin)
            await CorsCheck.RunAsync(examination, origin, report, cancellationToken);
        if (await TokenCheck.RunAsync(examination, options, report, cancellationToken) is { } topic)
        {
            await StreamChecks.RunAsync(examination, topic, report, cancellationToken);
            await TransportChecks.RunAsync(examination, topic, report, cancellationToken);
        }
        return true;
    }
}

/// <summary>What to check. Immutable.</summary>
/// <param name="Origin">The origin of a page; null for none.</param>
/// <param name="Topic">The topic to read; null for the topic of the token's user.</param>
/// <param name="DataFolder">The data folder of a server on this machine; null for none.</param>
/// <param name="WhyRefused">Returns the server's own reason for refusing the token, with the local signing key; null without
/// one.</param>
internal sealed record DiagnosisOptions(
    string? Origin,
    string? Topic,
    string? DataFolder,
    Func<string, CancellationToken, ValueTask<string?>>? WhyRefused
);
