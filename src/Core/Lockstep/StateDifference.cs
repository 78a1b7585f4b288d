namespace FastXen.Core.Lockstep;

/// <summary>One piece of architected state that two processors do not agree about.</summary>
/// <param name="Name">The manual's name of it.</param>
/// <param name="Reference">Its value on the reference engine.</param>
/// <param name="Subject">Its value on the engine under test.</param>
public readonly record struct StateDifference(string Name, string Reference, string Subject)
{
    /// <inheritdoc/>
    public override string ToString() => $"{Name} is {Subject}, expected {Reference}";
}
