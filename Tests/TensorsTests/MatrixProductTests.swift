// Products against a plain triple loop in double precision, and the same bits on any number of threads.

import Testing

@testable import Tensors

@Suite struct MatrixProductTests {
  static func random(_ shape: [Int], seed: UInt64) -> Tensor {
    var generator = SeededGenerator(seed: seed)
    return Tensor((0..<shape.reduce(1, *)).map { _ in Float(generator.normal()) }, shape: shape)
  }

  @Test(arguments: [(1, 1, 1), (3, 5, 2), (17, 33, 65), (300, 200, 150), (20, 700, 300), (700, 20, 300)])
  func equalsTripleLoop(m: Int, n: Int, k: Int) {
    let a = Self.random([m, k], seed: 1)
    let b = Self.random([k, n], seed: 2)
    let c = matrixProduct(a, b)
    #expect(c.shape == [m, n])
    let (x, y, z) = (a.values, b.values, c.values)
    for i in stride(from: 0, to: m, by: max(1, m / 13)) {
      for j in 0..<n {
        var sum = 0.0
        for p in 0..<k { sum += Double(x[i * k + p]) * Double(y[p * n + j]) }
        #expect(abs(sum - Double(z[i * n + j])) < 1e-5 * Double(k), "at \(i), \(j)")
      }
    }
  }

  /// What two threads split, by rows and by columns, one computes to the same bits.
  @Test(arguments: [(1000, 70, 130), (70, 1000, 130), (333, 333, 333), (40, 2500, 60), (611, 700, 90)])
  func threadsDoNotShow(m: Int, n: Int, k: Int) {
    let a = Self.random([m, k], seed: 4)
    let b = Self.random([k, n], seed: 5)
    func product(threads: Int) -> [Float] {
      var c = Tensor(zeros: [m, n])
      let target = c.mutablePointer()
      gemm(
        GemmOperand(pointer: a.pointer, window: a.matrix), GemmOperand(pointer: b.pointer, window: b.matrix),
        GemmTarget(pointer: target, window: c.matrix), scale: 1, accumulating: false, threads: threads)
      return c.values
    }
    let alone = product(threads: 1)
    for threads in [2, 3, 5, 8] { #expect(product(threads: threads) == alone, "\(threads) threads") }
  }

  @Test func windowsReadAndWriteInPlace() {
    let a = Tensor([1, 2, 3, 4, 5, 6] as [Float], shape: [2, 3])
    var c = Tensor(repeating: 9, shape: [3, 3])
    // The right two columns of a, squared as aᵀ·a, into the lower right corner of c.
    let window = MatrixWindow(offset: 1, rows: 2, columns: 2, rowStride: 3)
    matrixProduct(
      a, window.transpose, a, window, into: &c, MatrixWindow(offset: 4, rows: 2, columns: 2, rowStride: 3))
    #expect(c.values == [9, 9, 9, 9, 29, 36, 9, 36, 45])
  }
}

@Suite struct EmptyMatrixTests {
  @Test func aProductMayHaveNoColumns() {
    let c = matrixProduct(Tensor(zeros: [3, 4]), Tensor(zeros: [0, 4]), transposingB: true)
    #expect(c.shape == [3, 0])
  }

  @Test func anInnerLengthOfZeroGivesZeros() {
    #expect(matrixProduct(Tensor(zeros: [2, 0]), Tensor(zeros: [0, 3])).values == [0, 0, 0, 0, 0, 0])
  }
}

@Suite struct TensorTests {
  @Test func copiesAreValues() {
    let a = Tensor(zeros: [2, 2])
    var b = a
    b[0, 1] = 5
    #expect(a[0, 1] == 0)
    #expect(b[0, 1] == 5)
  }

  @Test func aRowSliceIsAValueToo() {
    var a = Tensor([1, 2, 3, 4] as [Float], shape: [2, 2])
    let row = a.row(1)
    a[1, 0] = 7
    #expect(row.values == [3, 4])
    #expect(a.values == [1, 2, 7, 4])
  }
}
