using System.Text;

namespace Dunlin.Hooks;

/// <summary>Reads the secrets of a hook.</summary>
internal static class HookKeys
{
    /// <summary>The minimum length of a secret in bytes. An attacker with one signed request can guess a shorter one.</summary>
    public const int MinBytes = 16;

    /// <summary>The maximum number of secrets. It limits the work for a forged request.</summary>
    public const int Max = 8;

    private const string StandardPrefix = "whsec_";

    /// <summary>Returns the HMAC keys, and adds each fault to <paramref name="faults"/>. A fault never contains a secret.</summary>
    public static List<byte[]> Read(HookSource source, string option, List<string> faults)
    {
        var keys = new List<byte[]>();
        for (var i = 0; i < source.Secrets.Count; i++)
            Add(source.Secrets[i], $"{option}.Secrets[{i}]");
        for (var i = 0; i < source.SecretFiles.Count; i++)
        {
            try
            {
                Add(File.ReadAllText(source.SecretFiles[i]).TrimEnd(), $"{option}.SecretFiles[{i}]");
            }
            catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or ArgumentException)
            {
                faults.Add($"{option}.SecretFiles[{i}]: '{source.SecretFiles[i]}' cannot be read: {exception.Message}");
            }
        }
        if (source.Secrets.Count + source.SecretFiles.Count is 0 or > Max)
            faults.Add($"{option}.Secrets: the hook needs 1 to {Max} secrets, in Secrets or SecretFiles.");
        return keys;

        void Add(string secret, string place)
        {
            var key = source.Scheme == HookScheme.StandardWebhooks ? OfStandard(secret) : Encoding.UTF8.GetBytes(secret);
            if (key is null)
                faults.Add($"{place}: a secret of Standard Webhooks is base64, with or without '{StandardPrefix}'.");
            else if (key.Length < MinBytes)
                faults.Add($"{place}: the secret has {key.Length} bytes; it needs {MinBytes} at least.");
            else
                keys.Add(key);
        }
    }

    private static byte[]? OfStandard(string secret)
    {
        var text = secret.StartsWith(StandardPrefix, StringComparison.Ordinal) ? secret[StandardPrefix.Length..] : secret;
        var key = new byte[text.Length];
        return Convert.TryFromBase64String(text, key, out var count) ? key[..count] : null;
    }
}
