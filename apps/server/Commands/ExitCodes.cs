namespace Dunlin.Server.Commands;

/// <summary>The exit codes of all commands. <c>docs/reference/command-line.md</c> lists them.</summary>
internal static class ExitCodes
{
    public const int Ok = 0;

    /// <summary>The server refused the request, a check failed, or the command failed.</summary>
    public const int Failed = 1;

    /// <summary>The arguments are wrong. Nothing was sent or changed.</summary>
    public const int Usage = 2;

    public const int Unreachable = 3;

    /// <summary>Ctrl+C or SIGTERM: 128 and the number of SIGINT, as shells report it.</summary>
    public const int Interrupted = 130;
}
