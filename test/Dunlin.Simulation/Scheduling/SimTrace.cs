using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text;
using Dunlin.Simulation.Clients;
using Dunlin.Simulation.Nodes;

namespace Dunlin.Simulation.Scheduling;

/// <summary>The readable record of a run. It costs nothing while it is off.</summary>
internal sealed class SimTrace
{
    private readonly List<string> _lines = [];

    public bool IsOn { get; set; }

    public IReadOnlyList<string> Lines => _lines;

    public void Add(SimTime time, string who, [InterpolatedStringHandlerArgument("")] TraceLine what) => AddText(time, who, what.Text);

    public void AddText(SimTime time, string who, string what)
    {
        if (IsOn)
            _lines.Add(string.Create(CultureInfo.InvariantCulture, $"{time.Elapsed.TotalSeconds, 9:F3} s  {who, -12} {what}"));
    }
}

/// <summary>A line of the trace, formatted only while the trace is on.</summary>
[InterpolatedStringHandler]
internal readonly ref struct TraceLine
{
    private readonly StringBuilder? _text;

    public TraceLine(int literals, int values, SimTrace trace, out bool isOn)
    {
        isOn = trace.IsOn;
        _text = isOn ? new StringBuilder(literals + (values * 8)) : null;
    }

    public TraceLine(int literals, int values, SimNode node, out bool isOn)
        : this(literals, values, node.World.Trace, out isOn) { }

    public TraceLine(int literals, int values, SimReader reader, out bool isOn)
        : this(literals, values, reader.World.Trace, out isOn) { }

    public string Text => _text?.ToString() ?? "";

    public void AppendLiteral(string text) => _text!.Append(text);

    public void AppendFormatted<T>(T value) => AppendFormatted(value, null);

    public void AppendFormatted<T>(T value, string? format) =>
        _text!.Append(value is IFormattable number ? number.ToString(format, CultureInfo.InvariantCulture) : value?.ToString());
}

/// <summary>A run that broke an invariant.</summary>
/// <param name="check">The name of the invariant.</param>
/// <param name="message">What was expected, and what happened.</param>
internal sealed class SimulationException(string check, string message) : Exception(check + ": " + message)
{
    public string Check { get; } = check;
}
