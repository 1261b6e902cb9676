using System.Security.Cryptography;
using Dunlin.Accounts;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Dunlin.Security;

/// <summary>Holds the secret that signs this server's own tokens. Thread-safe.</summary>
/// <remarks>There is no default secret. Without a configured key, the server generates one at random. Nodes that share a store keep it in
/// that store, because each node must verify the tokens of the others. A single node keeps it in a file that only its user can
/// read.</remarks>
internal sealed class SigningKeyStore(
    IOptions<AccessTokenOptions> options,
    IHostEnvironment environment,
    ILogger<SigningKeyStore> logger,
    ISecretStore? shared = null
) : IHostedService
{
    private const int Bytes = 64;
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    private readonly Lazy<SigningKey> _key = new(() =>
        new SigningKey(
            options.Value.SigningKey is { } configured ? Decode(configured)
            : shared is not null ? FromStore(shared)
            : FromFile(Path.Combine(environment.ContentRootPath, options.Value.SigningKeyFile), logger)
        )
    );

    public SigningKey Key => _key.Value;

    /// <summary>Reads or generates the key. An unreadable key stops the start of the host instead of failing the first request.</summary>
    public Task StartAsync(CancellationToken cancellationToken)
    {
        _ = Key;
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>Decodes a secret in base64 or base64url, with or without padding.</summary>
    /// <exception cref="FormatException">The text is not base64, or the secret is too short.</exception>
    public static byte[] Decode(string text)
    {
        var base64 = text.Trim().TrimEnd('=').Replace('-', '+').Replace('_', '/');
        byte[] secret;
        try
        {
            secret = Convert.FromBase64String(base64.PadRight((base64.Length + 3) / 4 * 4, '='));
        }
        catch (FormatException exception)
        {
            throw new FormatException("not base64; make a key with 'openssl rand -base64 64'", exception);
        }
        return secret.Length >= TokenKey.MinSecretBytes
            ? secret
            : throw new FormatException(
                $"too short: {secret.Length} bytes, and HS256 needs {TokenKey.MinSecretBytes}; make a key with 'openssl rand -base64 64'"
            );
    }

    // Blocks once, at the start, before the host serves requests.
    private static byte[] FromStore(ISecretStore store) =>
        Decode(Task.Run(async () => await store.GetOrAddAsync("signing-key", Make(), CancellationToken.None)).GetAwaiter().GetResult());

    private static string Make() => Convert.ToBase64String(RandomNumberGenerator.GetBytes(Bytes));

    private static byte[] FromFile(string path, ILogger logger)
    {
        if (!File.Exists(path))
            Create(path, logger);
        if (!OperatingSystem.IsWindows() && (File.GetUnixFileMode(path) & ~OwnerOnly) != UnixFileMode.None)
        {
            SecurityLog.KeyFileOpen(logger, path);
            File.SetUnixFileMode(path, OwnerOnly);
        }
        try
        {
            return Decode(File.ReadAllText(path));
        }
        catch (FormatException exception)
        {
            throw new InvalidOperationException(
                $"The signing key in '{path}' cannot be used: {exception.Message}. Delete the file to create a new key; all access tokens become invalid.",
                exception
            );
        }
    }

    // Writes a temporary file and moves it into place, so that a crash leaves no partial key. If two processes start together, the first
    // move wins.
    private static void Create(string path, ILogger logger)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(path))!);
        var draft = $"{path}.{Guid.NewGuid():N}";
        var open = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows())
            open.UnixCreateMode = OwnerOnly;
        using (var stream = new FileStream(draft, open))
        {
            stream.Write(System.Text.Encoding.ASCII.GetBytes(Make()));
            stream.Flush(flushToDisk: true);
        }
        try
        {
            File.Move(draft, path, overwrite: false);
            SecurityLog.KeyMade(logger, path);
        }
        catch (IOException) when (File.Exists(path))
        {
            File.Delete(draft);
        }
    }
}

/// <summary>Represents the secret of this server's own tokens. Immutable.</summary>
/// <param name="secret">At least <see cref="TokenKey.MinSecretBytes"/> bytes.</param>
internal sealed class SigningKey(byte[] secret)
{
    /// <summary>Gets the HS256 key that signs and verifies tokens.</summary>
    public TokenKey ForTokens { get; } = TokenKey.OfSecret(secret, keyId: null);

    /// <summary>Returns the HMAC-SHA256 of a text.</summary>
    public byte[] Sign(ReadOnlySpan<byte> text) => HMACSHA256.HashData(secret, text);
}
